// The harness itself: it accepts what is right and notices what is not.
#include "tests/harness/property.h"

#include <gtest/gtest.h>

#include "tests/harness/operator_runner.h"
#include "tests/harness/test_operators.h"

namespace weft::tests {
namespace {

constexpr std::string_view kChain = R"(
input { name: "events" type: "EventBatch" }
node { name: "one" operator: "test_fold" input: "EVENTS:events" output: "EVENTS:a" }
node { name: "two" operator: "OPERATOR" input: "EVENTS:a" output: "EVENTS:b" }
output { name: "out" stream: "b" }
)";

PropertyCase MakeCase(std::string_view second_operator, const PayloadEncoders& encoders) {
  PropertyCase property;
  property.spec = std::string(kChain);
  property.spec.replace(property.spec.find("OPERATOR"), 8, second_operator);
  property.catalog = &TestCatalog();
  property.encoders = &encoders;
  std::vector<graph::EventBatch> batches;
  for (std::uint64_t i = 0; i < 60; ++i) {
    batches.push_back(RandomEvents(i, static_cast<std::int64_t>(i * 7 % 40), 100,
                                   static_cast<graph::TimeUs>(100 * i)));
  }
  property.steps = FeedSteps("events", 1, batches);
  return property;
}

TEST(PropertyThreads, AcceptsADeterministicGraph) {
  const PayloadEncoders encoders;
  EXPECT_TRUE(HoldsEverything(MakeCase("test_fold", encoders)));
}

TEST(PropertyThreads, NoticesALookIntoTheFuture) {
  const PayloadEncoders encoders;
  PropertyCase property = MakeCase("test_fold", encoders);
  const std::size_t first = property.spec.find("test_fold");
  property.spec.replace(first, 9, "test_leak");
  EXPECT_TRUE(HoldsOnReplay(property));
  const testing::AssertionResult leak = DoesNotLeakTheFuture(property);
  EXPECT_FALSE(leak);
  EXPECT_NE(std::string(leak.message()).find("the bytes differ"), std::string::npos)
      << leak.message();
}

TEST(Property, NamesTheFirstDifference) {
  RunResult expected;
  expected.outputs["out"].push_back({{0, 1, 8}, {0, 1, 10}, 5, 2, "ab"});
  RunResult actual = expected;
  EXPECT_EQ(FirstDifference(expected, actual), "");
  actual.outputs["out"][0].bytes = "ac";
  EXPECT_EQ(FirstDifference(expected, actual),
            "output \"out\", packet 0: expected position 1:8 time 5 us, 2 rows, got position 1:8 "
            "time 5 us, 2 rows; the bytes differ");
}

TEST(OperatorRunner, FeedsOneOperatorAndKeepsItsState) {
  OperatorRunner runner(TestCatalog(), "test_fold", "micro_batch: 4");
  ASSERT_TRUE(runner.status().ok()) << runner.status();
  const std::vector<InputStep> steps =
      FeedSteps("EVENTS", 1, {RandomEvents(1, 10, 50, 0), RandomEvents(2, 3, 50, 100)});
  ASSERT_TRUE(runner.Feed("EVENTS", steps[0].packet).ok());
  EXPECT_EQ(runner.Packets("EVENTS").size(), 3u);  // 4 + 4 + 2 rows
  const auto hash = runner.StateHash();
  ASSERT_TRUE(runner.SaveAndLoad().ok());
  EXPECT_EQ(*runner.StateHash(), *hash);
  ASSERT_TRUE(runner.Feed("EVENTS", steps[1].packet).ok());
  EXPECT_EQ(runner.Outputs<graph::EventBatch>("EVENTS").back()->size(), 3);
  std::int64_t rows = 0;
  ASSERT_TRUE(runner
                  .Read([&](const graph::Operator& op) {
                    rows = static_cast<const HashingOperator&>(op).rows();
                  })
                  .ok());
  EXPECT_EQ(rows, 13);
}

TEST(OperatorRunner, WaitsForTheTimeOfTheOtherPort) {
  OperatorRunner runner(TestCatalog(), "test_join");
  const std::vector<InputStep> steps = FeedSteps("LEFT", 1, {RandomEvents(1, 3, 50, 10)});
  ASSERT_TRUE(runner.Feed("LEFT", steps[0].packet).ok());
  EXPECT_TRUE(runner.Packets("EVENTS").empty());
  ASSERT_TRUE(runner.AdvanceTime("RIGHT", graph::kAfterAllTime).ok());
  EXPECT_EQ(runner.Packets("EVENTS").size(), 1u);
}

TEST(OperatorRunner, ReportsAnOptionErrorWithItsPlace) {
  const OperatorRunner runner(TestCatalog(), "test_fold",
                              "slots { width: 3 }\n slots { width: -1 }");
  EXPECT_EQ(runner.status().message(),
            "operator.pbtxt:8:10: slots[1].width: expected 1 or more, got -1");
}

}  // namespace
}  // namespace weft::tests
