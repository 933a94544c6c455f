#include "operators/hierarchy/episode_forecaster.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "operators/hierarchy/planted_hierarchy.h"
#include "operators/hierarchy/test_streams.h"

namespace weft::operators::hierarchy {
namespace {

constexpr graph::TimeUs kSecond = 1'000'000;

std::vector<Readout> ReadoutsOf(const std::vector<EpisodeBatch>& told) {
  ReadoutBuilder builder;
  std::vector<Readout> readouts;
  for (const EpisodeBatch& batch : told) builder.Take(batch, readouts);
  return readouts;
}

TEST(Readout, TellsTheOpenEpisodesAndTheirNeighborhood) {
  const auto told = ToldBySecond(TurnsOfHubs(60), 16);
  const std::vector<Readout> readouts = ReadoutsOf(told);
  ASSERT_EQ(readouts.size(), 60u * 50u / 16u);
  const Readout& last = readouts.back();
  EXPECT_EQ(last.snapshot, 2992);
  EXPECT_EQ(last.now_us, 2992 * kSecond);
  ASSERT_GE(last.levels.size(), 2u);
  std::int64_t vertices = 0;
  for (std::size_t i = 0; i < last.levels.size(); ++i) {
    const LevelReadout& level = last.levels[i];
    EXPECT_EQ(level.level, static_cast<std::int32_t>(i) + 1);
    EXPECT_NEAR(level.columns[0], std::log1p(static_cast<float>(2992 - level.begin)), 1e-4);
    EXPECT_EQ(last.graph.group_size[i], i < 1 ? 9 : last.graph.group_size[i]);
    vertices += last.graph.group_size[i];
  }
  EXPECT_EQ(last.graph.vertices(), vertices);
  EXPECT_EQ(last.graph.edges[kToNext].size(), last.graph.edges[kToPrevious].size());
  EXPECT_GT(last.graph.edges[kToParent].size(), 0u);
  // Between two readouts 16 seconds of eight interactions each.
  EXPECT_NEAR(last.windows[3], 0.0f, 0.01f);
  std::int64_t closed = 0;
  for (const Readout& readout : readouts)
    for (const EpisodeRow& row : readout.episodes.rows)
      closed += row.kind == EpisodeRow::kClosed && row.level == 1 ? 1 : 0;
  EXPECT_GE(closed, 55);
}

std::map<std::int32_t, std::vector<ForecastRow>> ForecastsOf(const std::vector<Readout>& readouts,
                                                             const ForecasterOptions& options) {
  EpisodeForecaster forecaster(options, gpu::HostExec());
  std::vector<ForecastRow> rows;
  for (const Readout& readout : readouts) forecaster.Take(readout, rows);
  std::map<std::int32_t, std::vector<ForecastRow>> by_level;
  for (const ForecastRow& row : rows) by_level[row.level].push_back(row);
  return by_level;
}

TEST(EpisodeForecaster, ForetellsWhoComesNextAndWhen) {
  const auto readouts = ReadoutsOf(ToldBySecond(TurnsOfHubs(120), 16));
  const auto forecasts = ForecastsOf(readouts, {});
  int right = 0, all = 0;
  for (const ForecastRow& row : forecasts.at(1)) {
    // The hub of the second at which the open episode began; its turn took 40, 50 or 60 s.
    const std::int64_t second = row.begin_us / kSecond % 150;
    const auto hub = static_cast<graph::NodeId>(second < 40 ? 0 : second < 90 ? 1 : 2);
    if (row.now_us < 40 * 50 * kSecond) continue;
    ++all;
    right += row.next[0].node == (hub + 1) % 3 ? 1 : 0;
    EXPECT_LE(row.end.end_us[0], row.end.end_us[2]);
  }
  ASSERT_GT(all, 100);
  EXPECT_GT(right, all * 9 / 10);
}

TEST(EpisodeForecaster, HeadsLearnMoreThanCounting) {
  PlantedHierarchyOptions planted;
  planted.snapshots = 40'000;
  planted.interactions = 6.0;
  const auto told = ToldBySecond(MakePlantedHierarchy(planted).events, 16);
  const auto readouts = ReadoutsOf(told);
  std::vector<graph::TimeUs> ends;  // of leaves
  for (const EpisodeBatch& batch : told)
    for (const EpisodeRow& row : batch.rows)
      if (row.kind == EpisodeRow::kClosed && row.level == 1) ends.push_back(row.episode.end_us);
  std::map<HazardHead, double> loss;
  for (const HazardHead head :
       {HazardHead::kCounted, HazardHead::kLogistic, HazardHead::kRelational}) {
    ForecasterOptions options;
    options.head = head;
    const auto forecasts = ForecastsOf(readouts, options);
    int count = 0;
    for (const ForecastRow& row : forecasts.at(1)) {
      const auto end = std::ranges::upper_bound(ends, row.begin_us);
      if (end == ends.end() || row.now_us < 20'000 * kSecond) continue;
      const double probability = std::clamp(row.ends_within, 1e-3, 1.0 - 1e-3);
      loss[head] -=
          std::log(*end <= row.now_us + options.horizon_us ? probability : 1.0 - probability);
      ++count;
    }
    ASSERT_GT(count, 500);
    loss[head] /= count;
  }
  EXPECT_LT(loss[HazardHead::kLogistic], loss[HazardHead::kCounted]);
  // The graph network learns slowly, yet more than that some end in time (.64).
  EXPECT_LT(loss[HazardHead::kRelational], 0.62);
}

// What comes after a readout changes none of its forecasts.
TEST(EpisodeForecaster, DoesNotKnowTheFuture) {
  const auto readouts = ReadoutsOf(ToldBySecond(TurnsOfHubs(60), 16));
  const std::vector<Readout> half(readouts.begin(), readouts.begin() + 100);
  const auto whole = ForecastsOf(readouts, {}), first = ForecastsOf(half, {});
  for (const auto& [level, rows] : first)
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(rows[i].ends_within, whole.at(level)[i].ends_within);
}

}  // namespace
}  // namespace weft::operators::hierarchy
