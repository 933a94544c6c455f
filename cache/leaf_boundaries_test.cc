#include "cache/leaf_boundaries.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace weft::cache {
namespace {

using Profile = std::vector<std::uint32_t>;

// Snapshots whose busy slots and rate change every 20 to 80.
std::vector<Profile> ChangingProfiles(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::vector<Profile> profiles;
  while (static_cast<int>(profiles.size()) < count) {
    const std::uint64_t length = 20 + random() % 61, rate = 4 + random() % 16;
    const std::uint64_t hub = random() % kActorSlots;
    for (std::uint64_t i = 0; i < length; ++i) {
      Profile profile(kProfileSlots);
      for (std::uint64_t e = random() % (2 * rate); e > 0; --e) {
        ++profile[random() % 3 == 0 ? hub : random() % 20];
        ++profile[kActorSlots + random() % 20];
      }
      profiles.push_back(profile);
    }
  }
  profiles.resize(static_cast<std::size_t>(count));
  return profiles;
}

// The definition, in floating point over the whole stream.
double OracleScore(const std::vector<Profile>& profiles, int at, int window) {
  const int count = static_cast<int>(profiles.size());
  const int begin = std::max(0, at - window), end = std::min(count, at + window);
  if (2 * (at - begin) < window || 2 * (end - at) < window) return -1e9;
  double ratio = 0.0, compared = 0.0;
  for (int d = 0; d < kProfileSlots; ++d) {
    double before = 0.0, after = 0.0;
    for (int t = begin; t < at; ++t) before += profiles[static_cast<std::size_t>(t)][d];
    for (int t = at; t < end; ++t) after += profiles[static_cast<std::size_t>(t)][d];
    if (before + after == 0.0) continue;
    compared += 1.0;
    const double rate = (before + after) / (end - begin);
    if (before > 0.0) ratio += before * std::log(before / (rate * (at - begin)));
    if (after > 0.0) ratio += after * std::log(after / (rate * (end - at)));
  }
  return compared == 0.0 ? 0.0 : (2.0 * ratio - compared) / std::sqrt(2.0 * compared);
}

std::vector<std::int64_t> OracleBoundaries(const std::vector<Profile>& profiles, int window,
                                           double threshold) {
  const int count = static_cast<int>(profiles.size());
  std::vector<double> score;
  for (int t = 0; t < count; ++t) score.push_back(OracleScore(profiles, t, window));
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

Steps Divide(const std::vector<Profile>& profiles, const LeafOptions& options) {
  LeafBoundaries leaf(options);
  Steps steps;
  for (const Profile& profile : profiles) {
    std::vector<LeafStep> decided;
    leaf.Push(profile, decided);
    for (const LeafStep& step : decided)
      steps.latest_lag = std::max(steps.latest_lag, leaf.snapshot_count() - 1 - step.snapshot);
    steps.all.insert(steps.all.end(), decided.begin(), decided.end());
  }
  leaf.Finish(steps.all);
  for (const LeafStep& step : steps.all)
    if (step.kind >= LeafStep::kBoundary) steps.boundaries.push_back(step.boundary);
  return steps;
}

TEST(LeafBoundaries, AgreesWithTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto profiles = ChangingProfiles(seed, 700);
    const Steps steps = Divide(profiles, {});
    EXPECT_EQ(steps.boundaries, OracleBoundaries(profiles, 16, 4.0));
    EXPECT_GT(steps.boundaries.size(), 5u);
    for (const LeafStep& step : steps.all) {
      if (step.kind != LeafStep::kBoundary) continue;
      EXPECT_NEAR(static_cast<double>(step.score) / kLikelihoodOne,
                  OracleScore(profiles, static_cast<int>(step.boundary), 16), 1e-4);
    }
  }
}

TEST(LeafBoundaries, DecidesEachSnapshotOnceAndTwoWindowsLater) {
  const Steps steps = Divide(ChangingProfiles(4, 500), {.window = 12});
  ASSERT_EQ(steps.all.size(), 500u);
  for (std::size_t i = 0; i < steps.all.size(); ++i)
    EXPECT_EQ(steps.all[i].snapshot, static_cast<std::int64_t>(i));
  EXPECT_EQ(steps.latest_lag, 2 * 12 - 1);
}

TEST(LeafBoundaries, CutsWhatWouldBeTooLong) {
  std::mt19937_64 random(1);
  std::vector<Profile> same;
  for (int i = 0; i < 3000; ++i) {
    Profile profile(kProfileSlots);
    for (std::size_t d = 0; d < 10; ++d) profile[d] = static_cast<std::uint32_t>(1 + random() % 2);
    same.push_back(profile);
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
  auto profiles = ChangingProfiles(9, 120);
  for (int i = 0; i < 900; ++i) profiles.emplace_back(kProfileSlots);
  for (const Profile& profile : ChangingProfiles(9, 120)) profiles.push_back(profile);
  const Steps steps = Divide(profiles, {});
  EXPECT_TRUE(std::ranges::count(steps.boundaries, 120) == 1);
  EXPECT_TRUE(std::ranges::count(steps.boundaries, 1020) == 1);
  for (const std::int64_t boundary : steps.boundaries)
    EXPECT_TRUE(boundary <= 120 || boundary >= 1020) << boundary;
}

TEST(LeafBoundaries, AQuantileLeavesItsShareOfScoresAboveTheThreshold) {
  const auto profiles = ChangingProfiles(5, 9000);
  LeafOptions options;
  options.threshold_quantile = 0.8f;
  LeafBoundaries leaf(options);
  std::vector<LeafStep> decided;
  for (const Profile& profile : profiles) leaf.Push(profile, decided);
  int above = 0, all = 0;
  for (int t = 16; t < 8000; ++t) {
    above += OracleScore(profiles, t, 16) * kLikelihoodOne >= static_cast<double>(leaf.threshold());
    ++all;
  }
  EXPECT_NEAR(static_cast<double>(above) / all, 0.2, 0.02);
}

TEST(LeafBoundaries, AShortStreamHasNone) {
  for (const int count : {0, 1, 15, 16}) {
    const Steps steps = Divide(ChangingProfiles(1, count), {.window = 16});
    EXPECT_EQ(steps.all.size(), static_cast<std::size_t>(count));
    EXPECT_TRUE(steps.boundaries.empty());
  }
}

}  // namespace
}  // namespace weft::cache
