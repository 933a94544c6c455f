#include "operators/hierarchy/snapshots.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace weft::operators::hierarchy {
namespace {

graph::EventBatch EventsAt(const std::vector<graph::TimeUs>& times) {
  graph::EventBatch events;
  for (const graph::TimeUs time_us : times) {
    events.source.push_back(static_cast<graph::NodeId>(events.source.size()));
    events.target.push_back(100);
    events.time_us.push_back(time_us);
  }
  return events;
}

TEST(SnapshotCutter, CutsLongGapsAndKeepsTimes) {
  SnapshotCutter cutter({});
  SnapshotBatch batch;
  cutter.Add(graph::EventSpan::Of(EventsAt({-2'500'000, -2'100'000, 500'000, 7'200'000'000})));
  cutter.Take(7'200'999'999, batch);
  // [-3, -2), two empty ones, [0, 1); the last second is not over.
  EXPECT_EQ(batch.begin_us, (std::vector<graph::TimeUs>{-3'000'000, -2'000'000, -1'000'000, 0}));
  EXPECT_EQ(batch.InteractionsOf(0).size(), 2u);
  EXPECT_EQ(batch.InteractionsOf(1).size(), 0u);
  EXPECT_EQ(batch.InteractionsOf(3)[0].source, 2u);
  SnapshotBatch rest;
  cutter.Take(7'201'000'000, rest);
  // 64 of two hours, and the last one.
  EXPECT_EQ(rest.size(), 65);
  EXPECT_EQ(rest.begin_us.front(), 1'000'000);
  EXPECT_EQ(rest.begin_us[31], 32'000'000);
  EXPECT_EQ(rest.begin_us[32], 7'200'000'000 - 32'000'000);
  EXPECT_EQ(rest.begin_us[63], 7'199'000'000);
  EXPECT_EQ(rest.end_us.back(), 7'201'000'000);
}

TEST(SnapshotCutter, TheOrderOfArrivalDoesNotMatterWithinTheLateness) {
  std::mt19937_64 random(1);
  std::vector<graph::TimeUs> times;
  for (int i = 0; i < 2000; ++i) times.push_back(i * 137'000);
  const auto cut = [](const std::vector<graph::TimeUs>& in_order, graph::TimeUs lateness_us) {
    graph::EventBatch events = EventsAt(in_order);
    SnapshotCutter cutter({});
    SnapshotBatch batch;
    graph::TimeUs latest_us = 0;
    for (std::int64_t i = 0; i < events.size(); ++i) {
      latest_us = std::max(latest_us, events.time_us[static_cast<std::size_t>(i)]);
      events.source[static_cast<std::size_t>(i)] =
          static_cast<graph::NodeId>(events.time_us[static_cast<std::size_t>(i)] / 1000);
      cutter.Add(graph::EventSpan::Of(events, i, i + 1));
      cutter.Take(latest_us - lateness_us, batch);
    }
    cutter.TakeAll(batch);
    EXPECT_EQ(cutter.late_count(), 0);
    std::vector<std::vector<graph::NodeId>> snapshots;
    for (std::int64_t row = 0; row < batch.size(); ++row) {
      auto& sources = snapshots.emplace_back();
      for (const auto [source, target] : batch.InteractionsOf(row)) sources.push_back(source);
      std::ranges::sort(sources);
    }
    return snapshots;
  };
  std::vector<graph::TimeUs> shuffled = times;
  for (std::size_t begin = 0; begin < times.size(); begin += 20)
    std::shuffle(shuffled.begin() + static_cast<std::ptrdiff_t>(begin),
                 shuffled.begin() + static_cast<std::ptrdiff_t>(begin + 20), random);
  EXPECT_EQ(cut(shuffled, 3'000'000), cut(times, 0));
}

TEST(SnapshotCutter, CountsWhatItLeavesOut) {
  SnapshotCutter cutter({.most_events = 2});
  SnapshotBatch batch;
  cutter.Add(graph::EventSpan::Of(EventsAt({0, 1, 2, 5'000'000})));
  cutter.Take(5'000'000, batch);
  cutter.Add(graph::EventSpan::Of(EventsAt({999'999, 1'000'000})));
  cutter.TakeAll(batch);
  EXPECT_EQ(cutter.left_out_count(), 1);
  EXPECT_EQ(cutter.late_count(), 1);
  EXPECT_EQ(batch.InteractionsOf(0).size(), 2u);
}

TEST(SnapshotCutter, ChoosesItsWidthFromTheFirstEvents) {
  SnapshotCutter cutter({.auto_events = 10});
  SnapshotBatch batch;
  std::vector<graph::TimeUs> times;
  for (int i = 0; i < 1023; ++i) times.push_back(i * 60'000'000ll);
  cutter.Add(graph::EventSpan::Of(EventsAt(times)));
  cutter.Take(times.back(), batch);
  EXPECT_EQ(batch.size(), 0);
  cutter.Add(graph::EventSpan::Of(EventsAt({1023 * 60'000'000ll})));
  EXPECT_EQ(cutter.width_us(), 10 * 60'000'000ll);
  cutter.Take(1023 * 60'000'000ll, batch);
  ASSERT_EQ(batch.size(), 102);
  EXPECT_EQ(batch.InteractionsOf(7).size(), 10u);
  SnapshotCutter few({.auto_events = 10});
  few.Add(graph::EventSpan::Of(EventsAt({5, 5})));
  SnapshotBatch all;
  few.TakeAll(all);
  EXPECT_EQ(all.end_us.front() - all.begin_us.front(), 1'000'000);
}

TEST(RoundWidth, IsAWidthThatPeopleUse) {
  EXPECT_EQ(RoundWidth(1), 1);
  EXPECT_EQ(RoundWidth(333'333), 500'000);
  EXPECT_EQ(RoundWidth(11'000'000), 15'000'000);
  EXPECT_EQ(RoundWidth(59 * 60'000'000ll), 3600'000'000ll);
  EXPECT_EQ(RoundWidth(25 * 3600'000'000ll), 48 * 3600'000'000ll);
  EXPECT_EQ(RoundWidth(std::int64_t{1} << 62), 365 * 24 * 3600'000'000ll);
}

TEST(SnapshotCutter, TakesSnapshotsAsTheyAreGiven) {
  SnapshotCutter cutter({.each_time = true});
  SnapshotBatch batch;
  cutter.Add(graph::EventSpan::Of(EventsAt({7, 7, 9'000'000'000, 9'000'000'001})));
  cutter.Take(9'000'000'001, batch);
  EXPECT_EQ(batch.begin_us, (std::vector<graph::TimeUs>{7, 9'000'000'000}));
  EXPECT_EQ(batch.InteractionsOf(0).size(), 2u);
}

}  // namespace
}  // namespace weft::operators::hierarchy
