#include "operators/hierarchy/episode_forecast.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "operators/hierarchy/episode_stream.h"
#include "operators/hierarchy/forecast_evaluation.h"
#include "operators/hierarchy/planted_hierarchy.h"
#include "operators/hierarchy/test_streams.h"

namespace weft::operators::hierarchy {
namespace {

constexpr graph::TimeUs kSecond = 1'000'000;

EpisodeStream StreamOf(const graph::EventBatch& events) {
  EpisodeStream stream({}, {});
  std::vector<cache::EpisodeChange> changes;
  stream.Push(graph::EventSpan::Of(events), changes);
  return stream;
}

TEST(EpisodeForecast, KnowsWhoComesNext) {
  const EpisodeStream stream = StreamOf(TurnsOfHubs(60));
  const cache::EpisodeView view(stream.tree());
  ASSERT_GE(view.Closed(1).end, 50);
  for (std::int64_t number = 40; number < 50; ++number) {
    const graph::NodeId hub = view.Get(1, number).nodes[0].node;
    const cache::EpisodeRing& ring = stream.tree().closed(1);
    const auto precedents = FindPrecedents(ring, view.Closed(1), number,
                                           view.Sums(1, number).pair_count(), 5, gpu::HostExec());
    ASSERT_EQ(precedents.size(), 5u);
    for (const auto& [found, affinity] : precedents) {
      EXPECT_LT(found + 1, number);
      EXPECT_EQ(view.Get(1, found).nodes[0].node, hub);
      EXPECT_GT(affinity, 0.99f);
    }
    const auto next = NextNodes(ring, precedents);
    EXPECT_EQ(next.front().node, (hub + 1) % 3);
    EXPECT_NEAR(next.front().share, 1.0, 0.05);
  }
}

TEST(EpisodeForecast, KnowsWhenItEnds) {
  const EpisodeStream stream = StreamOf(TurnsOfHubs(60));
  const cache::EpisodeView view(stream.tree());
  const DurationHistory history(view, 1);
  ASSERT_GE(history.size(), 50);
  // Durations are 40, 50 and 60 s alike; an end is known 32 s after it was.
  const auto young = history.ForecastEnd(0, 10 * kSecond, 45 * kSecond);
  ASSERT_TRUE(young);
  EXPECT_NEAR(static_cast<double>(young->end_us[0]), 40.0 * kSecond, kSecond);
  EXPECT_NEAR(static_cast<double>(young->end_us[1]), 50.0 * kSecond, kSecond);
  EXPECT_NEAR(static_cast<double>(young->end_us[2]), 60.0 * kSecond, kSecond);
  EXPECT_NEAR(young->ends_within, 2.0 / 3.0, 0.05);
  EXPECT_EQ(young->based_on, history.size());
  const auto old = history.ForecastEnd(0, 85 * kSecond, kSecond);
  EXPECT_NEAR(static_cast<double>(old->end_us[0]), 60.0 * kSecond, 2.0 * kSecond);
  EXPECT_LT(old->based_on, history.size() / 2);
  const auto oldest = history.ForecastEnd(0, 1000 * kSecond, kSecond);
  EXPECT_EQ(oldest->based_on, 0);
  EXPECT_GT(oldest->ends_within, 0.9);
}

TEST(EpisodeForecast, SaysNothingOfALevelThatIsNew) {
  const EpisodeStream stream = StreamOf(TurnsOfHubs(5));
  const cache::EpisodeView view(stream.tree());
  EXPECT_FALSE(DurationHistory(view, 1).ForecastEnd(0, 0, kSecond));
  EXPECT_TRUE(FindPrecedents(stream.tree().closed(1), view.Closed(1), 1,
                             view.Sums(1, 0).pair_count(), 5, gpu::HostExec())
                  .empty());
}

// A forecast is of what was known at its time: what comes later changes none.
TEST(EpisodeForecast, DoesNotKnowTheFuture) {
  PlantedHierarchyOptions options;
  options.snapshots = 6000;
  const graph::EventBatch events = MakePlantedHierarchy(options).events;
  const auto middle = static_cast<std::int64_t>(
      std::ranges::lower_bound(events.time_us, 4000 * kSecond) - events.time_us.begin());
  graph::EventBatch half;
  half.source.assign(events.source.begin(), events.source.begin() + middle);
  half.target.assign(events.target.begin(), events.target.begin() + middle);
  half.time_us.assign(events.time_us.begin(), events.time_us.begin() + middle);
  const EpisodeStream then = StreamOf(half), now = StreamOf(events);
  const cache::EpisodeView known(then.tree()), past(now.tree(), then.tree().end_us());
  for (std::int32_t level = 1; level <= 2; ++level) {
    const std::int64_t open = known.Closed(level).end;
    const graph::TimeUs begin_us = known.BeginUs(level, open), now_us = known.known_until_us();
    const auto one = DurationHistory(known, level).ForecastEnd(begin_us, now_us, kSecond);
    const auto other = DurationHistory(past, level).ForecastEnd(begin_us, now_us, kSecond);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->end_us, other->end_us);
    EXPECT_EQ(one->ends_within, other->ends_within);
  }
}

TEST(ForecastEvaluation, TheHierarchyKnowsMoreThanItsBaselines) {
  PlantedHierarchyOptions options;
  options.snapshots = 40'000;
  const ForecastResult result = EvaluateForecasts(MakePlantedHierarchy(options).events, {});
  ASSERT_GE(result.levels.size(), 2u);
  const ForecastLevel& leaves = result.levels[0];
  EXPECT_NEAR(leaves.by_age.coverage, 0.8, 0.05);
  EXPECT_LT(leaves.by_age.pinball_seconds, leaves.unconditional.pinball_seconds);
  EXPECT_LT(leaves.by_age.pinball_seconds, leaves.memoryless.pinball_seconds);
  EXPECT_LT(leaves.both.log_loss, leaves.windows.log_loss);
  EXPECT_LT(leaves.both.log_loss, leaves.fixed.log_loss);
  EXPECT_GT(result.levels[1].hierarchy.auroc.value(), result.levels[1].windows.auroc.value());
}

}  // namespace
}  // namespace weft::operators::hierarchy
