#include "operators/hierarchy/snapshot_stream.h"

#include <gtest/gtest.h>

namespace weft::operators::hierarchy {
namespace {

TEST(SnapshotStream, CutsLongGapsAndKeepsTimes) {
  graph::EventBatch events;
  const auto add = [&events](graph::TimeUs time_us) {
    events.source.push_back(1);
    events.target.push_back(2);
    events.time_us.push_back(time_us);
  };
  add(-2'500'000);
  add(-2'100'000);
  add(500'000);
  add(7'200'000'000);
  SnapshotStream stream({}, {});
  std::vector<cache::LevelEpisode> closed;
  stream.Push(graph::EventSpan::Of(events, 0, 2), closed);
  stream.Push(graph::EventSpan::Of(events, 2, 4), closed);
  stream.Finish(closed);
  EXPECT_EQ(stream.origin_us(), -3'000'000);
  // [-3, -2), two empty ones, [0, 1), 64 of two hours, the last one.
  EXPECT_EQ(stream.snapshot_count(), 1 + 2 + 1 + 64 + 1);
  ASSERT_FALSE(closed.empty());
  EXPECT_EQ(closed.front().episode.begin_us, -3'000'000);
  std::int64_t end_us = 0;
  for (const auto& [level, episode] : closed)
    if (level == 1) end_us = episode.end_us;
  EXPECT_EQ(end_us, 7'201'000'000);
}

}  // namespace
}  // namespace weft::operators::hierarchy
