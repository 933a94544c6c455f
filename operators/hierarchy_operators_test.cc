// The hierarchy operators one at a time: options, ports, what they send and keep.
#include <string>

#include "gmock/gmock.h"
#include "graph/mark_batch.h"
#include "gtest/gtest.h"
#include "operators/catalog.h"
#include "operators/hierarchy/hierarchy_reader.h"
#include "operators/hierarchy/snapshots.h"
#include "tests/harness/operator_runner.h"

namespace weft::operators::hierarchy {
namespace {

using testing::HasSubstr;
using tests::OperatorRunner;

graph::Packet EventsAt(const std::vector<graph::TimeUs>& times, std::uint64_t offset,
                       graph::TimeUs watermark_us) {
  auto events = std::make_shared<graph::EventBatch>();
  for (const graph::TimeUs time_us : times) {
    events->source.push_back(1);
    events->target.push_back(2);
    events->time_us.push_back(time_us);
  }
  return graph::Packet::Make<graph::EventBatch>(std::move(events), {0, 0, offset}, watermark_us);
}

TEST(SnapshotBuilderOperator, SendsSnapshotsThatAreComplete) {
  OperatorRunner runner(OperatorCatalog(), "snapshot_builder", "width_us: 10");
  ASSERT_TRUE(runner.status().ok()) << runner.status();
  ASSERT_TRUE(runner.Feed("EVENTS", EventsAt({3, 25, 12}, 0, 9)).ok());
  EXPECT_TRUE(runner.Outputs<SnapshotBatch>("SNAPSHOTS").empty());
  ASSERT_TRUE(runner.SaveAndLoad().ok());
  ASSERT_TRUE(runner.Feed("EVENTS", EventsAt({14, 33}, 3, 29)).ok());
  const auto sent = runner.Outputs<SnapshotBatch>("SNAPSHOTS");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0]->begin_us, (std::vector<graph::TimeUs>{0, 10}));
  EXPECT_EQ(sent[0]->InteractionsOf(1).size(), 2u);
  // All that it is of is before its end, whatever its rows are.
  EXPECT_EQ(runner.Packets("SNAPSHOTS")[0].position().offset, 3u);
  EXPECT_EQ(runner.Packets("SNAPSHOTS")[0].end().offset, 5u);
}

TEST(HierarchyOperators, RefuseOptionsOutOfRange) {
  const struct {
    const char* name;
    const char* options;
    const char* message;
  } cases[] = {
      {"snapshot_builder", "width_us: -1", "width_us: expected 1 to"},
      {"snapshot_builder", "width_us: 5 each_time: true", "expected none together with each_time"},
      {"snapshot_builder", "width_us: 5 auto_events: 2", "auto_events: expected none together"},
      {"snapshot_builder", "max_empty: 5000", "max_empty: expected 0 to 4096, got 5000"},
      {"snapshot_builder", "max_events: -2", "max_events: expected 1 to"},
      {"episode_segmenter", "window: 1", "window: expected 2 to 1024, got 1"},
      {"episode_segmenter", "quantile: 1", "quantile: expected 0 or more and under 1, got 1"},
      {"episode_segmenter", "threshold: nan", "threshold: expected -100 to"},
      {"episode_segmenter", "window: 20 max_snapshots: 79", "expected 80, which is 4 windows"},
      {"episode_tree_build", "max_leaves: 5", "max_leaves: expected 64 to 16777216, got 5"},
      {"episode_tree_build", "max_pairs: 5", "max_pairs: expected 65536"},
      {"episode_tree_build", "max_marks: -1", "max_marks: expected 1 to 1048576, got -1"},
      {"episode_tree_build", "keep_seconds: 9 keep_seconds: 5",
       "keep_seconds[1]: expected parents to be kept as long as their children"},
  };
  for (const auto& wrong : cases) {
    OperatorRunner runner(OperatorCatalog(), wrong.name, wrong.options);
    EXPECT_EQ(runner.status().code(), absl::StatusCode::kInvalidArgument) << wrong.options;
    EXPECT_THAT(std::string(runner.status().message()), HasSubstr(wrong.message));
  }
}

TEST(EpisodeTreeBuildOperator, KeepsTheLatestMarks) {
  OperatorRunner runner(OperatorCatalog(), "episode_tree_build", "max_marks: 3",
                        {"SEGMENTED", "MARKS"});
  ASSERT_TRUE(runner.status().ok()) << runner.status();
  auto batch = std::make_shared<graph::MarkBatch>();
  for (const graph::TimeUs time_us : {40, 10, 30, 20})
    batch->marks.push_back({time_us, time_us + 5, "anomaly", std::to_string(time_us)});
  ASSERT_TRUE(
      runner.Feed("MARKS", graph::Packet::Make<graph::MarkBatch>(batch, {0, 0, 0}, 50)).ok());
  ASSERT_TRUE(runner.AdvanceTime("SEGMENTED", 60).ok());
  ASSERT_TRUE(runner.SaveAndLoad().ok());
  const auto read = [](const graph::Operator& op) {
    const MarkTimeline& marks = dynamic_cast<const HierarchyReader&>(op).marks();
    ASSERT_EQ(marks.marks().size(), 3u);
    EXPECT_EQ(marks.marks().front().mark.text, "20");
    const auto texts = [&](graph::TimeUs from_us, graph::TimeUs to_us, graph::TimeUs known_us,
                           std::size_t most) {
      std::string text;
      for (const graph::Mark& mark : marks.In(from_us, to_us, known_us, most))
        text += mark.text + " ";
      return text;
    };
    EXPECT_EQ(texts(0, 100, 50, 10), "20 30 40 ");
    EXPECT_EQ(texts(0, 100, 50, 2), "30 40 ");
    EXPECT_EQ(texts(24, 40, 50, 10), "20 30 ");
    EXPECT_EQ(texts(25, 30, 50, 10), "");
    EXPECT_EQ(texts(0, 100, 49, 10), "");
  };
  ASSERT_TRUE(runner.Read(read).ok());
}

}  // namespace
}  // namespace weft::operators::hierarchy
