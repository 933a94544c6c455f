// How well episodes that were planted are found again (docs/hierarchy.md): means of forty seeds.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/hierarchy/boundary_match.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/hierarchy/planted_hierarchy.h"

namespace weft::operators::hierarchy {
namespace {

constexpr int kSeeds = 40;
constexpr std::int64_t kFineTolerance = 10;
constexpr std::int64_t kCoarseTolerance = 20;

struct Found {
  std::vector<std::int64_t> fine, coarse;  // snapshots by time, the first one is 0
};

Found FindIn(const PlantedHierarchyOptions& options, const graph::EventBatch& events) {
  EpisodeStream stream({.width_us = options.snapshot_us}, {});
  std::vector<cache::EpisodeChange> changes;
  stream.Push(graph::EventSpan::Of(events), changes);
  stream.Finish(changes);
  Found found;
  for (const std::int32_t level : {1, 2}) {
    const cache::EpisodeRing& closed = stream.tree().closed(level);
    for (std::int64_t number = 1; number < closed.end(); ++number)
      (level == 1 ? found.fine : found.coarse)
          .push_back(closed[number].begin_us / options.snapshot_us);
  }
  return found;
}

struct F1 {
  double fine = 0.0, coarse = 0.0, uniform = 0.0;
};

F1 MeanF1(const std::function<graph::EventBatch(const PlantedHierarchy&, std::uint64_t)>& change) {
  F1 mean;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    PlantedHierarchyOptions options;
    options.seed = seed;
    const PlantedHierarchy planted = MakePlantedHierarchy(options);
    const Found found = FindIn(options, change(planted, seed));
    mean.fine += MatchBoundaries(found.fine, planted.fine, kFineTolerance).f1 / kSeeds;
    mean.coarse += MatchBoundaries(found.coarse, planted.coarse, kCoarseTolerance).f1 / kSeeds;
    const auto uniform =
        UniformBoundaries(static_cast<std::int64_t>(planted.fine.size()), options.snapshots);
    mean.uniform += MatchBoundaries(uniform, planted.fine, kFineTolerance).f1 / kSeeds;
  }
  return mean;
}

// Without the events of a share of the snapshots, and without these snapshots: the others move up.
graph::EventBatch Thinned(const PlantedHierarchy& planted, std::uint64_t seed, std::uint64_t share,
                          std::vector<std::int64_t>& kept) {
  constexpr graph::TimeUs kSnapshotUs = 1'000'000;
  graph::EventBatch events;
  std::int64_t last = -1;
  kept.clear();
  for (std::size_t i = 0; i < planted.events.source.size(); ++i) {
    const std::int64_t snapshot = planted.events.time_us[i] / kSnapshotUs;
    if (gpu::CounterHash(seed, static_cast<std::uint64_t>(snapshot), 7) % 100 < share) continue;
    if (snapshot != last) kept.push_back(snapshot);
    last = snapshot;
    events.source.push_back(planted.events.source[i]);
    events.target.push_back(planted.events.target[i]);
    events.time_us.push_back(static_cast<std::int64_t>(kept.size() - 1) * kSnapshotUs);
  }
  return events;
}

TEST(PlantedRecovery, FindsFineAndCoarseEpisodes) {
  const F1 mean =
      MeanF1([](const PlantedHierarchy& planted, std::uint64_t) { return planted.events; });
  EXPECT_GE(mean.fine, 0.95);
  EXPECT_GE(mean.coarse, 0.90);
  EXPECT_LE(mean.uniform, 0.35);
}

TEST(PlantedRecovery, FindsThemInHalfOfTheSnapshots) {
  double fine = 0.0, coarse = 0.0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    PlantedHierarchyOptions options;
    options.seed = seed;
    const PlantedHierarchy planted = MakePlantedHierarchy(options);
    std::vector<std::int64_t> kept;
    Found found = FindIn(options, Thinned(planted, seed, 50, kept));
    for (auto* boundaries : {&found.fine, &found.coarse})
      for (std::int64_t& snapshot : *boundaries)
        snapshot = kept[static_cast<std::size_t>(snapshot)];
    fine += MatchBoundaries(found.fine, planted.fine, kFineTolerance).f1 / kSeeds;
    coarse += MatchBoundaries(found.coarse, planted.coarse, kCoarseTolerance).f1 / kSeeds;
  }
  EXPECT_GE(fine, 0.88);
  EXPECT_GE(coarse, 0.85);
}

// The order of events within a snapshot, and repeats of all of them, change no boundary that is
// clear.
TEST(PlantedRecovery, DoesNotDependOnTheOrderWithinASnapshot) {
  PlantedHierarchyOptions options;
  const PlantedHierarchy planted = MakePlantedHierarchy(options);
  graph::EventBatch reversed = planted.events;
  for (std::size_t begin = 0; begin < reversed.source.size();) {
    std::size_t end = begin;
    while (end < reversed.source.size() && reversed.time_us[end] / options.snapshot_us ==
                                               reversed.time_us[begin] / options.snapshot_us)
      ++end;
    std::reverse(reversed.source.begin() + static_cast<std::ptrdiff_t>(begin),
                 reversed.source.begin() + static_cast<std::ptrdiff_t>(end));
    std::reverse(reversed.target.begin() + static_cast<std::ptrdiff_t>(begin),
                 reversed.target.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
  }
  const Found as_is = FindIn(options, planted.events), turned = FindIn(options, reversed);
  EXPECT_EQ(as_is.fine, turned.fine);
  EXPECT_EQ(as_is.coarse, turned.coarse);
}

TEST(PlantedRecovery, AStationaryStreamHasFewLeavesAtAnyRate) {
  for (const double rate : {6.0, 12.0, 24.0}) {
    PlantedHierarchyOptions options;
    options.snapshots = 20'000;
    options.interactions = rate;
    options.coarse_least = options.coarse_most = options.fine_least = options.fine_most =
        options.snapshots;
    const PlantedHierarchy planted = MakePlantedHierarchy(options);
    ASSERT_TRUE(planted.fine.empty());
    EXPECT_LE(FindIn(options, planted.events).fine.size(), 4u * 20u) << rate;
  }
}

// The more often the hub changes, the more leaves there are.
TEST(PlantedRecovery, LeavesFollowTheRateOfPlantedOnes) {
  std::size_t last = 0;
  for (const std::int64_t length : {300, 200, 150, 110, 80, 60, 45, 34}) {
    PlantedHierarchyOptions options;
    options.snapshots = 12'000;
    options.fine_least = options.fine_most = length;
    options.coarse_least = options.coarse_most = 6 * length;
    const PlantedHierarchy planted = MakePlantedHierarchy(options);
    const std::size_t found = FindIn(options, planted.events).fine.size();
    EXPECT_GT(found, last) << length;
    last = found;
  }
}

// A silence of five minutes ends an episode and begins one, and is not cut itself.
TEST(PlantedRecovery, ASilenceHasABoundaryOnEachSide) {
  constexpr graph::TimeUs kSecond = 1'000'000;
  PlantedHierarchyOptions options;
  options.snapshots = 2000;
  options.coarse_least = options.coarse_most = options.fine_least = options.fine_most =
      options.snapshots;
  graph::EventBatch events = MakePlantedHierarchy(options).events;
  for (graph::TimeUs& time_us : events.time_us)
    if (time_us >= 1000 * kSecond) time_us += 300 * kSecond;
  std::vector<std::int64_t> near;
  for (const std::int64_t boundary : FindIn(options, events).fine)
    if (boundary > 950 && boundary < 1350) near.push_back(boundary);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_NEAR(static_cast<double>(near[0]), 1000.0, 2.0);
  EXPECT_NEAR(static_cast<double>(near[1]), 1300.0, 2.0);
}

// One event in ten comes twice, so that counts vary more than chance lets them.
TEST(PlantedRecovery, RepeatsChangeLittle) {
  const F1 mean = MeanF1([](const PlantedHierarchy& planted, std::uint64_t seed) {
    graph::EventBatch events;
    for (std::size_t i = 0; i < planted.events.source.size(); ++i) {
      const int times = gpu::CounterHash(seed, i, 11) % 10 == 0 ? 2 : 1;
      for (int repeat = 0; repeat < times; ++repeat) {
        events.source.push_back(planted.events.source[i]);
        events.target.push_back(planted.events.target[i]);
        events.time_us.push_back(planted.events.time_us[i]);
      }
    }
    return events;
  });
  EXPECT_GE(mean.fine, 0.88);
  EXPECT_GE(mean.coarse, 0.88);
}

}  // namespace
}  // namespace weft::operators::hierarchy
