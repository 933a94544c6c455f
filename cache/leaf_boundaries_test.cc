#include "cache/leaf_boundaries.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "cache/test_snapshots.h"

namespace weft::cache {
namespace {

// Snapshots whose busy actors and rate change every 20 to 80.
Snapshots BusySnapshots(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Snapshots snapshots;
  while (snapshots.size() < count) {
    const std::uint64_t length = 20 + random() % 61, rate = 4 + random() % 16;
    const auto hub = static_cast<std::uint32_t>(random() % kActorSlots);
    for (std::uint64_t i = 0; i < length; ++i) {
      std::vector<NodePair>& snapshot = snapshots.emplace_back();
      for (std::uint64_t e = random() % (2 * rate); e > 0; --e) {
        const auto source = random() % 3 == 0 ? hub : static_cast<std::uint32_t>(random() % 20);
        snapshot.push_back({source, static_cast<std::uint32_t>(random() % 20)});
      }
    }
  }
  snapshots.resize(count);
  return snapshots;
}

// The definition, in floating point over the whole stream.
double OracleScore(const Snapshots& snapshots, int at, int window) {
  const int count = static_cast<int>(snapshots.size());
  const int begin = std::max(0, at - window), end = std::min(count, at + window);
  if (2 * (at - begin) < window || 2 * (end - at) < window) return -1e9;
  std::vector<double> all_before(kProfileSlots), all_after(kProfileSlots);
  for (int t = begin; t < end; ++t)
    for (const auto [source, target] : snapshots[static_cast<std::size_t>(t)]) {
      std::vector<double>& all = t < at ? all_before : all_after;
      all[ActorSlot(source)] += 1.0;
      all[kActorSlots + ActorSlot(target)] += 1.0;
    }
  double ratio = 0.0, compared = 0.0;
  for (std::size_t d = 0; d < kProfileSlots; ++d) {
    const double before = all_before[d], after = all_after[d];
    if (before + after == 0.0) continue;
    compared += 1.0;
    const double rate = (before + after) / (end - begin);
    if (before > 0.0) ratio += before * std::log(before / (rate * (at - begin)));
    if (after > 0.0) ratio += after * std::log(after / (rate * (end - at)));
  }
  return compared == 0.0 ? 0.0 : (2.0 * ratio - compared) / std::sqrt(2.0 * compared);
}

std::vector<std::int64_t> OracleBoundaries(const Snapshots& snapshots, int window,
                                           double threshold) {
  const int count = static_cast<int>(snapshots.size());
  std::vector<double> score;
  for (int t = 0; t < count; ++t) score.push_back(OracleScore(snapshots, t, window));
  std::vector<std::int64_t> boundaries;
  for (int t = 1; t < count; ++t) {
    bool is_peak = score[static_cast<std::size_t>(t)] >= threshold;
    for (int s = std::max(0, t - window); s <= std::min(count - 1, t + window); ++s) {
      const double other = score[static_cast<std::size_t>(s)];
      if (other > score[static_cast<std::size_t>(t)] ||
          (other == score[static_cast<std::size_t>(t)] && s < t))
        is_peak = false;
    }
    if (is_peak) boundaries.push_back(t);
  }
  return boundaries;
}

struct Steps {
  std::vector<LeafStep> all;
  std::vector<std::int64_t> boundaries;
  std::int64_t latest_lag = 0;  // snapshots from one to the step about it
};

// All of them one behind the other.
struct Joined {
  explicit Joined(const Snapshots& snapshots) {
    for (const auto& snapshot : snapshots) {
      pairs.insert(pairs.end(), snapshot.begin(), snapshot.end());
      end.push_back(pairs.size());
    }
  }
  SnapshotPairs All() const { return {pairs, 0, end}; }

  std::vector<NodePair> pairs;
  std::vector<std::size_t> end;
};

Steps Divide(const Snapshots& snapshots, const LeafOptions& options) {
  LeafBoundaries leaf(options);
  Steps steps;
  const Joined joined(snapshots);
  for (std::int64_t i = 0; i < joined.All().size(); ++i) {
    LeafDecisions decided;
    leaf.Push(joined.All().Part(i, 1), decided);
    for (const LeafStep& step : decided.steps)
      steps.latest_lag = std::max(steps.latest_lag, leaf.snapshot_count() - 1 - step.snapshot);
    steps.all.insert(steps.all.end(), decided.steps.begin(), decided.steps.end());
  }
  leaf.Finish(steps.all);
  for (const LeafStep& step : steps.all)
    if (step.kind >= LeafStep::kBoundary) steps.boundaries.push_back(step.boundary);
  return steps;
}

TEST(LeafBoundaries, AgreesWithTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto snapshots = BusySnapshots(seed, 700);
    const Steps steps = Divide(snapshots, {});
    EXPECT_EQ(steps.boundaries, OracleBoundaries(snapshots, 16, 4.0));
    EXPECT_GT(steps.boundaries.size(), 5u);
    for (const LeafStep& step : steps.all) {
      if (step.kind != LeafStep::kBoundary) continue;
      EXPECT_NEAR(static_cast<double>(step.score) / kLikelihoodOne,
                  OracleScore(snapshots, static_cast<int>(step.boundary), 16), 1e-4);
    }
  }
}

TEST(LeafBoundaries, DecidesEachSnapshotOnceAndTwoWindowsLater) {
  const Steps steps = Divide(BusySnapshots(4, 500), {.window = 12});
  ASSERT_EQ(steps.all.size(), 500u);
  for (std::size_t i = 0; i < steps.all.size(); ++i)
    EXPECT_EQ(steps.all[i].snapshot, static_cast<std::int64_t>(i));
  EXPECT_EQ(steps.latest_lag, 2 * 12 - 1);
}

TEST(LeafBoundaries, CutsWhatWouldBeTooLong) {
  std::mt19937_64 random(1);
  Snapshots same;
  for (int i = 0; i < 3000; ++i) {
    std::vector<NodePair>& snapshot = same.emplace_back();
    for (std::uint32_t node = 0; node < 10; ++node)
      snapshot.insert(snapshot.end(), 1 + random() % 2, {node, node});
  }
  LeafOptions options;
  options.longest = 256;
  const Steps steps = Divide(same, options);
  ASSERT_GT(steps.boundaries.size(), 5u);
  std::int64_t begin = 0;
  for (const std::int64_t boundary : steps.boundaries) {
    EXPECT_GT(boundary, begin);
    EXPECT_LE(boundary - begin, options.longest);
    begin = boundary;
  }
}

TEST(LeafBoundaries, SilenceIsOneEpisodeWithABoundaryOnEachSide) {
  auto snapshots = BusySnapshots(9, 120);
  snapshots.resize(snapshots.size() + 900);
  for (const auto& snapshot : BusySnapshots(9, 120)) snapshots.push_back(snapshot);
  const Steps steps = Divide(snapshots, {});
  EXPECT_TRUE(std::ranges::count(steps.boundaries, 120) == 1);
  EXPECT_TRUE(std::ranges::count(steps.boundaries, 1020) == 1);
  for (const std::int64_t boundary : steps.boundaries)
    EXPECT_TRUE(boundary <= 120 || boundary >= 1020) << boundary;
}

TEST(LeafBoundaries, AQuantileLeavesItsShareOfScoresAboveTheThreshold) {
  const auto snapshots = BusySnapshots(5, 9000);
  LeafOptions options;
  options.threshold_quantile = 0.8f;
  LeafBoundaries leaf(options);
  LeafDecisions decided;
  leaf.Push(Joined(snapshots).All(), decided);
  int above = 0, all = 0;
  for (int t = 16; t < 8000; ++t) {
    above +=
        OracleScore(snapshots, t, 16) * kLikelihoodOne >= static_cast<double>(leaf.threshold());
    ++all;
  }
  EXPECT_NEAR(static_cast<double>(above) / all, 0.2, 0.02);
}

// However many snapshots come at once, and whatever is saved and loaded between them.
TEST(LeafBoundaries, DecidesTheSameInBatchesOfAnySizeAndAfterSaveAndLoad) {
  const Joined joined(BusySnapshots(6, 3000));
  for (const LeafOptions& options :
       {LeafOptions{}, LeafOptions{.window = 24, .threshold_quantile = 0.8f, .longest = 200}}) {
    LeafBoundaries one(options);
    LeafDecisions expected, decided;
    for (std::int64_t i = 0; i < joined.All().size(); ++i)
      one.Push(joined.All().Part(i, 1), expected);
    std::optional<LeafBoundaries> many(options);
    std::mt19937_64 random(3);
    for (std::int64_t from = 0; from < joined.All().size();) {
      const auto count = std::min(static_cast<std::int64_t>(random() % (random() % 3 ? 40 : 700)),
                                  joined.All().size() - from);
      LeafDecisions part;
      many->Push(joined.All().Part(from, count), part);
      for (std::int64_t row = 0; row < count; ++row) {
        const auto steps = part.StepsOf(row);
        decided.steps.insert(decided.steps.end(), steps.begin(), steps.end());
        decided.steps_end.push_back(decided.steps.size());
      }
      decided.latest_score.insert(decided.latest_score.end(), part.latest_score.begin(),
                                  part.latest_score.end());
      from += count;
      LeafBoundaries loaded(options);
      SaveAndLoad(*many, loaded);
      many.emplace(std::move(loaded));
    }
    one.Finish(expected.steps);
    many->Finish(decided.steps);
    EXPECT_EQ(decided.steps, expected.steps);
    EXPECT_EQ(decided.steps_end, expected.steps_end);
    EXPECT_EQ(decided.latest_score, expected.latest_score);
    EXPECT_EQ(many->threshold(), one.threshold());
  }
}

TEST(LeafBoundaries, AShortStreamHasNone) {
  for (const std::size_t count : {0u, 1u, 15u, 16u}) {
    const Steps steps = Divide(BusySnapshots(1, count), {.window = 16});
    EXPECT_EQ(steps.all.size(), count);
    EXPECT_TRUE(steps.boundaries.empty());
  }
}

}  // namespace
}  // namespace weft::cache
