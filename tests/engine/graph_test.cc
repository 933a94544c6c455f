// A graph's life: pushing, draining, applied positions, order, errors of callers.
#include "graph/graph.h"

#include <fstream>
#include <sstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_fixture.h"

namespace weft::tests {
namespace {

using graph::LogPosition;
using graph::Packet;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(Graph, CutsMicroBatchesFromTheFirstRow) {
  GraphFixture fixture(kOneNode);
  std::vector<std::int64_t> rows;
  std::vector<std::uint64_t> offsets;
  ASSERT_TRUE(fixture.graph
                  ->OnOutput("out",
                             [&](const Packet& packet) {
                               rows.push_back(packet.row_count());
                               offsets.push_back(packet.position().offset);
                               EXPECT_EQ(packet.in_flight(), nullptr);
                             })
                  .ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 19)).ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(19, 8)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(rows, ElementsAre(8, 8, 3, 8));
  EXPECT_THAT(offsets, ElementsAre(0, 8, 16, 19));
}

TEST(Graph, ProcessesAPacketWithoutRowsOnce) {
  GraphFixture fixture(kOneNode);
  std::vector<std::int64_t> rows;
  ASSERT_TRUE(
      fixture.graph->OnOutput("out", [&](const Packet& p) { rows.push_back(p.row_count()); }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 0)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(rows, ElementsAre(0));
  EXPECT_EQ(fixture.graph->Applied("in"), (LogPosition{0, 1, 1}));
}

TEST(Graph, ReportsAppliedPositionsInOrder) {
  GraphFixture fixture(kOneNode);
  std::vector<std::uint64_t> applied;
  ASSERT_TRUE(
      fixture.graph->OnApplied("in", [&](LogPosition p) { applied.push_back(p.offset); }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  EXPECT_EQ(fixture.graph->Applied("in"), LogPosition{});
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 9)).ok());
  ASSERT_TRUE(fixture.graph->AdvanceTime("in", {0, 1, 9}, 30).ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(40, 5)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(applied, ElementsAre(9, 10, 45));
  EXPECT_EQ(fixture.graph->Applied("in"), (LogPosition{0, 1, 45}));
}

TEST(Graph, KeptPacketsDoNotHoldBackApplied) {
  GraphFixture fixture(kOneNode);
  std::vector<Packet> kept;
  ASSERT_TRUE(fixture.graph->OnOutput("out", [&](const Packet& p) { kept.push_back(p); }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 20)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_EQ(kept.size(), 3u);
  EXPECT_EQ(fixture.graph->Applied("in").offset, 20u);
}

TEST(Graph, RefusesWhatBreaksTheOrderOfAnInput) {
  GraphFixture fixture(kOneNode);
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(50, 5)).ok());
  EXPECT_THAT(Message(fixture.graph->Push("in", GraphFixture::Events(20, 5))),
              HasSubstr("input \"in\": time 20 us < 50 us of what came before"));
  const Packet overlapping = Packet::Make<graph::EventBatch>(
      std::make_shared<const graph::EventBatch>(RandomEvents(1, 3, 9, 0)), {0, 1, 54}, 60);
  EXPECT_THAT(Message(fixture.graph->Push("in", overlapping)),
              HasSubstr("log position 54 of feed 1 < 55 of feed 1, which is next"));
  EXPECT_EQ(fixture.graph->Push("in", Packet()).code(), absl::StatusCode::kInvalidArgument);
  // The graph goes on.
  EXPECT_TRUE(fixture.graph->Push("in", GraphFixture::Events(60, 5)).ok());
  EXPECT_TRUE(fixture.graph->Drain().ok());
}

TEST(Graph, KnowsItsNames) {
  GraphFixture fixture(kOneNode);
  EXPECT_THAT(fixture.graph->inputs(), ElementsAre("in"));
  EXPECT_THAT(fixture.graph->outputs(), ElementsAre("out"));
  const auto ignore = [](const Packet&) {};
  EXPECT_THAT(Message(fixture.graph->Push("inn", GraphFixture::Events(0, 1))),
              HasSubstr("the graph has no input \"inn\"; did you mean \"in\"?"));
  EXPECT_THAT(Message(fixture.graph->OnOutput("outt", ignore)),
              HasSubstr("no output \"outt\"; did you mean \"out\"?"));
  EXPECT_THAT(Message(fixture.graph->Read("fol", 1000, [](const auto&, auto) {})),
              HasSubstr("no node \"fol\"; did you mean \"fold\"?"));
}

TEST(Graph, EndsOnce) {
  GraphFixture fixture(kOneNode);
  ASSERT_TRUE(fixture.graph->Start().ok());
  EXPECT_EQ(fixture.graph->Start().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 9)).ok());
  EXPECT_TRUE(fixture.graph->Close().ok());
  EXPECT_TRUE(fixture.graph->Close().ok());
  EXPECT_EQ(fixture.graph->Applied("in").offset, 9u);
  EXPECT_EQ(fixture.graph->Push("in", GraphFixture::Events(9, 1)).message(), "the graph is closed");
  EXPECT_EQ(fixture.graph->Drain().message(), "the graph is closed");
  EXPECT_EQ(fixture.graph->StateHash().status().message(), "the graph is closed");
}

constexpr std::string_view kTwoFeeds = R"(
stream_capacity: 4
input { name: "a" type: "EventBatch" }
input { name: "b" type: "EventBatch" }
node { name: "join" operator: "test_join" input: "LEFT:b" input: "RIGHT:a" output: "EVENTS:j" }
output { name: "out" stream: "j" }
)";

TEST(Graph, MergesFeedsByTimeThenByTheirPlaceInTheSpec) {
  GraphFixture fixture(kTwoFeeds);
  std::vector<std::pair<std::uint32_t, graph::TimeUs>> order;
  ASSERT_TRUE(fixture.graph
                  ->OnOutput("out",
                             [&](const Packet& packet) {
                               order.emplace_back(packet.position().feed, packet.time_us());
                             })
                  .ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  const auto push = [&](std::string_view input, std::uint32_t feed, std::uint64_t time) {
    ASSERT_TRUE(fixture.graph->Push(input, GraphFixture::Events(time, 1, feed)).ok());
  };
  push("b", 2, 10);
  push("b", 2, 20);
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_TRUE(order.empty());  // an event of `a` at 5 may still come
  push("a", 1, 20);
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(order, ElementsAre(std::pair(2u, 10), std::pair(1u, 20)));
  ASSERT_TRUE(fixture.graph->AdvanceTime("a", {0, 1, 21}, 21).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(order, ElementsAre(std::pair(2u, 10), std::pair(1u, 20), std::pair(2u, 20)));
}

TEST(Graph, AStreamTakesEverythingFromOneMicroBatch) {
  // "relay" sends twenty packets for one micro-batch of the input to "join" directly and through
  // "fold"; "join" wants what came through "fold" first, and may see the end of it only when
  // "relay" is through.
  GraphFixture fixture(R"(
stream_capacity: 1
input { name: "in" type: "EventBatch" }
node { name: "widen" operator: "test_widen" input: "EVENTS:in" output: "EVENTS:w"
  options { [type.url/weft.tests.v1.TestOptions] { amount: 20 } } }
node { name: "relay" operator: "test_pass" input: "EVENTS:w" output: "EVENTS:r" }
node { name: "fold" operator: "test_fold" input: "EVENTS:r" output: "EVENTS:f" }
node { name: "join" operator: "test_join" input: "LEFT:f" input: "RIGHT:r" output: "EVENTS:j" }
output { name: "out" stream: "j" }
)");
  std::vector<std::int64_t> rows;
  ASSERT_TRUE(
      fixture.graph->OnOutput("out", [&](const Packet& p) { rows.push_back(p.row_count()); }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 8)).ok());
  EXPECT_EQ(fixture.graph->Drain(), absl::OkStatus());
  EXPECT_EQ(rows, std::vector<std::int64_t>(40, 8));
}

TEST(Graph, SaysThatAFullInputWaitsForAnother) {
  GraphFixture fixture(kTwoFeeds);
  ASSERT_TRUE(fixture.graph->Start().ok());
  for (std::uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(fixture.graph->Push("a", GraphFixture::Events(10 * i, 1)).ok());
  }
  const absl::Status full = fixture.graph->Push("a", GraphFixture::Events(40, 1));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(full), HasSubstr("waits for another input's time"));
}

TEST(Graph, FeedsThatNeverMeetDoNotWaitForEachOther) {
  GraphFixture fixture(R"(
input { name: "a" type: "EventBatch" }
input { name: "b" type: "EventBatch" }
node { name: "x" operator: "test_pass" input: "EVENTS:a" }
node { name: "y" operator: "test_pass" input: "EVENTS:b" }
)");
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("b", GraphFixture::Events(7, 2, 2)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_EQ(fixture.graph->Applied("b").offset, 9u);
}

TEST(Graph, MeasuresItsOperators) {
  GraphFixture fixture(kOneNode);
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(3, 19)).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  ASSERT_TRUE(fixture.graph->Read("fold", 1000, [](const auto&, auto) {}).ok());
  const graph::Labels labels = {{"graph", ""}, {"node", "fold"}};
  const auto count = [&](std::string_view name) {
    return fixture.metrics.GetCounter(name, "", labels).Value();
  };
  EXPECT_EQ(count("weft_operator_rows_total"), 19u);
  EXPECT_EQ(count("weft_operator_packets_in_total"), 1u);
  EXPECT_EQ(count("weft_operator_packets_out_total"), 3u);
  EXPECT_EQ(count("weft_operator_reads_total"), 1u);
  EXPECT_EQ(fixture.metrics.GetHistogram("weft_operator_process_seconds", "", labels).Count(), 3u);
  EXPECT_DOUBLE_EQ(fixture.metrics.GetGauge("weft_operator_watermark_seconds", "", labels).Value(),
                   3e-6);
}

TEST(Graph, TracesEachMicroBatch) {
  const std::string path = testing::TempDir() + "weft_graph_trace.json";
  graph::TraceRecorder trace(path);
  {
    GraphFixture fixture(kOneNode, 0, TestCatalog(), &trace);
    ASSERT_TRUE(fixture.graph->Start().ok());
    ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 19)).ok());
  }
  ASSERT_TRUE(trace.Finish().ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("\"args\":{\"rows\":3,\"offset\":16}"));
}

TEST(GraphBuild, NamesThePlaceOfABadOption) {
  const auto spec = graph::ParsedSpec::Parse(R"(
input { name: "in" type: "EventBatch" }
node {
  name: "fold"
  operator: "test_fold"
  input: "EVENTS:in"
  options {
    [type.url/weft.tests.v1.TestOptions] {
      micro_batch: -4
    }
  }
})",
                                             "links.pbtxt", TestCatalog());
  ASSERT_TRUE(spec.ok()) << spec.status();
  graph::SerialExecutor executor(1);
  const graph::SystemClock clock;
  graph::MetricRegistry metrics;
  const auto graph = graph::Graph::Build(*spec, {&TestCatalog(), &executor, &clock, &metrics});
  EXPECT_EQ(graph.status().message(), "links.pbtxt:9:7: micro_batch: expected 0 or more, got -4");
}

}  // namespace
}  // namespace weft::tests
