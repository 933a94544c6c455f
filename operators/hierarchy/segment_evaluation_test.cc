#include "operators/hierarchy/segment_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::operators::hierarchy {
namespace {

TEST(SegmentEvaluation, TellsFoundFromGuessed) {
  const graph::EventBatch events = [] {
    graph::EventBatch made;
    for (int i = 0; i < 4000; ++i) {  // two an episode of 100 snapshots, four snapshots a second
      made.source.push_back(static_cast<graph::NodeId>(i / 400 % 2 * 10 + i % 3));
      made.target.push_back(static_cast<graph::NodeId>(30 + i / 400 % 2 * 10 + i % 5));
      made.time_us.push_back(std::int64_t{i} * 250'000);
    }
    return made;
  }();
  std::vector<TrueBoundary> truth;
  for (int i = 1; i < 10; ++i) truth.push_back({std::int64_t{i} * 100'000'000, 1});
  truth.push_back({-5, 1});  // before the stream
  const SegmentResult result = EvaluateSegments(events, truth, {});
  EXPECT_EQ(result.snapshots, 1000);
  ASSERT_FALSE(result.levels.empty());
  const SegmentLevel& leaves = result.levels[0];
  EXPECT_EQ(leaves.episodes, 10);
  EXPECT_DOUBLE_EQ(leaves.mean_snapshots, 100.0);
  ASSERT_TRUE(leaves.found);
  EXPECT_EQ(leaves.found->figures.truth, 9);
  EXPECT_DOUBLE_EQ(leaves.found->figures.f1, 1.0);
  EXPECT_LT(leaves.random->figures.f1, 0.6);
  EXPECT_FALSE(leaves.flat);
  // A boundary is decided by the second window behind it.
  EXPECT_NEAR(result.decision_latency_snapshots, 32.0, 1.0);
}

TEST(SegmentEvaluation, WithoutTruthThereIsNothingToCompare) {
  graph::EventBatch events;
  events.source = {1};
  events.target = {2};
  events.time_us = {5};
  const SegmentResult result = EvaluateSegments(events, {}, {});
  ASSERT_EQ(result.levels.size(), 1u);
  EXPECT_FALSE(result.levels[0].found);
}

TEST(ParseTruth, ReadsTimesAndLevels) {
  const auto truth =
      ParseTruth("time,level\r\n1.5,1\n\n2010-01-01,2\n", "t", io::TimeUnit::kSeconds);
  ASSERT_TRUE(truth.ok());
  ASSERT_EQ(truth->size(), 2u);
  EXPECT_EQ((*truth)[0].time_us, 1'500'000);
  EXPECT_EQ((*truth)[1].level, 2);
}

TEST(ParseTruth, NamesTheLine) {
  const auto message = [](std::string_view text) {
    return std::string(ParseTruth(text, "t.csv", io::TimeUnit::kSeconds).status().message());
  };
  EXPECT_EQ(message("ts,level\n"), "t.csv:1: expected the header time,level, got \"ts,level\"");
  EXPECT_EQ(message("time,level\n5\n"), "t.csv:2: expected a time and a level, got \"5\"");
  EXPECT_EQ(message("time,level\nx,1\n"), "t.csv:2: expected a time and a level, got \"x,1\"");
  EXPECT_EQ(message("time,level\n1,1\n2,0\n"), "t.csv:3: expected a level from 1 to 16, got \"0\"");
}

}  // namespace
}  // namespace weft::operators::hierarchy
