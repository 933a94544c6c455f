#include "cache/episode_levels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace weft::cache {
namespace {

using Snapshots = std::vector<std::vector<Interaction>>;

// Who is busy changes every 15 to 60 snapshots, who talks to whom every 4 to 8 times of that.
Snapshots ChangingSnapshots(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Snapshots snapshots;
  std::uint32_t shift = 0;
  for (std::uint64_t fine = 0; snapshots.size() < count; ++fine) {
    if (fine % (4 + seed % 5) == 0) shift = static_cast<std::uint32_t>(random() % 30);
    const auto hub = static_cast<std::uint32_t>(random() % 30);
    for (std::uint64_t i = 15 + random() % 46; i > 0 && snapshots.size() < count; --i) {
      std::vector<Interaction> snapshot;
      for (std::uint64_t e = random() % 20; e > 0; --e) {
        const auto source = random() % 3 == 0 ? hub : static_cast<std::uint32_t>(random() % 30);
        const auto near = static_cast<std::uint32_t>(random() % 3);
        snapshot.push_back({source, (source + shift + near) % 30});
      }
      snapshots.push_back(std::move(snapshot));
    }
  }
  return snapshots;
}

std::vector<LevelEpisode> Divide(const Snapshots& snapshots, const LeafOptions& options = {}) {
  EpisodeLevels levels(options);
  std::vector<LevelEpisode> closed;
  for (std::size_t i = 0; i < snapshots.size(); ++i)
    levels.Push(snapshots[i], static_cast<std::int64_t>(i) * 1000, closed);
  levels.Finish(static_cast<std::int64_t>(snapshots.size()) * 1000, closed);
  return closed;
}

std::map<std::int32_t, std::vector<ClosedEpisode>> ByLevel(
    const std::vector<LevelEpisode>& closed) {
  std::map<std::int32_t, std::vector<ClosedEpisode>> levels;
  for (const LevelEpisode& one : closed) levels[one.level].push_back(one.episode);
  return levels;
}

TEST(EpisodeLevels, EveryLevelCoversTheStream) {
  const auto levels = ByLevel(Divide(ChangingSnapshots(1, 6000)));
  ASSERT_GE(levels.size(), 3u);
  for (const auto& [level, episodes] : levels) {
    std::int64_t end = 0;
    for (const ClosedEpisode& episode : episodes) {
      EXPECT_EQ(episode.begin, end) << level;
      EXPECT_LT(episode.begin, episode.end) << level;
      EXPECT_EQ(episode.begin_us, 1000 * episode.begin);
      EXPECT_EQ(episode.end_us, 1000 * episode.end);
      end = episode.end;
    }
    EXPECT_EQ(end, 6000) << level;
  }
}

// Everything about an episode is the sum of its children's, to the last interaction.
TEST(EpisodeLevels, ParentsAreTheSumsOfTheirChildren) {
  const Snapshots snapshots = ChangingSnapshots(2, 6000);
  auto levels = ByLevel(Divide(snapshots));
  std::vector<ClosedEpisode>& children = levels[0];
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    ClosedEpisode snapshot;
    snapshot.begin = static_cast<std::int64_t>(i);
    snapshot.end = snapshot.begin + 1;
    std::map<std::uint32_t, std::uint64_t> pairs;
    for (const Interaction& one : snapshots[i]) ++pairs[PairSlot(one.source, one.target)];
    for (const auto& [slot, count] : pairs) snapshot.pairs.push_back({slot, count});
    snapshot.interactions = snapshots[i].size();
    children.push_back(snapshot);
  }
  for (std::int32_t level = 1; levels.contains(level); ++level) {
    auto child = levels[level - 1].begin();
    for (const ClosedEpisode& episode : levels[level]) {
      ASSERT_EQ(child->begin, episode.begin);
      std::map<std::uint32_t, std::uint64_t> pairs;
      std::int64_t count = 0;
      std::uint64_t interactions = 0;
      for (; child != levels[level - 1].end() && child->end <= episode.end; ++child, ++count) {
        for (const PairCount& pair : child->pairs) pairs[pair.slot] += pair.count;
        interactions += child->interactions;
      }
      EXPECT_EQ(count, episode.children);
      EXPECT_EQ(interactions, episode.interactions);
      EXPECT_TRUE(std::ranges::equal(pairs, episode.pairs, [](const auto& sum, const auto& pair) {
        return sum.first == pair.slot && sum.second == pair.count;
      }));
    }
    EXPECT_EQ(child, levels[level - 1].end());
  }
}

// The definition of a level, in floating point: where the mixes of three episodes on each side
// differ most.
std::vector<std::int64_t> OracleLevel(const std::vector<ClosedEpisode>& below) {
  constexpr int kBeside = LevelBoundaries::kBeside;
  const int count = static_cast<int>(below.size());
  const auto score_of = [&](int at) {
    std::map<std::uint32_t, std::pair<double, double>> pairs;
    double before = 0.0, after = 0.0;
    for (int i = std::max(0, at - kBeside); i < std::min(count, at + kBeside); ++i) {
      for (const PairCount& pair : below[static_cast<std::size_t>(i)].pairs) {
        (i < at ? pairs[pair.slot].first : pairs[pair.slot].second) +=
            static_cast<double>(pair.count);
        (i < at ? before : after) += static_cast<double>(pair.count);
      }
    }
    if (before == 0.0 || after == 0.0) return 0.0;
    double ratio = 0.0;
    for (const auto& [slot, n] : pairs) {
      const double both = (n.first + n.second) / (before + after);
      ratio -= 0.5;
      if (n.first > 0.0) ratio += n.first * std::log(n.first / before / both);
      if (n.second > 0.0) ratio += n.second * std::log(n.second / after / both);
    }
    return ratio * (before + after) / (before * after);
  };
  std::vector<std::int64_t> boundaries;
  for (int at = 1; at < count; ++at) {
    bool is_peak = true;
    for (int i = std::max(1, at - kBeside + 1); i < std::min(count, at + kBeside); ++i)
      if (i < at ? score_of(i) >= score_of(at) : score_of(i) > score_of(at)) is_peak = false;
    if (is_peak) boundaries.push_back(below[static_cast<std::size_t>(at)].begin);
  }
  return boundaries;
}

TEST(EpisodeLevels, HigherLevelsAgreeWithTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    auto levels = ByLevel(Divide(ChangingSnapshots(seed, 8000)));
    for (std::int32_t level = 2; levels.contains(level); ++level) {
      std::vector<std::int64_t> boundaries;
      for (const ClosedEpisode& episode : levels[level])
        if (episode.begin > 0) boundaries.push_back(episode.begin);
      EXPECT_EQ(boundaries, OracleLevel(levels[level - 1])) << "level " << level;
    }
  }
}

TEST(EpisodeLevels, ALaterEndChangesNothingThatWasClosed) {
  const Snapshots snapshots = ChangingSnapshots(3, 5000);
  EpisodeLevels levels({});
  std::vector<LevelEpisode> closed;
  for (std::size_t i = 0; i < snapshots.size(); ++i)
    levels.Push(snapshots[i], static_cast<std::int64_t>(i) * 1000, closed);
  const std::vector<LevelEpisode> all = Divide(ChangingSnapshots(3, 7000));
  ASSERT_LT(closed.size(), all.size());
  EXPECT_TRUE(std::equal(closed.begin(), closed.end(), all.begin()));
}

TEST(EpisodeLevels, ACutEpisodeKeepsItsInteractions) {
  LeafOptions options;
  options.threshold = 1000 * kLikelihoodOne;  // nothing but cuts
  options.longest = 128;
  const Snapshots snapshots = ChangingSnapshots(4, 3000);
  std::uint64_t all = 0, found = 0;
  for (const auto& snapshot : snapshots) all += snapshot.size();
  std::int64_t end = 0;
  auto levels = ByLevel(Divide(snapshots, options));
  for (const ClosedEpisode& leaf : levels[1]) {
    EXPECT_EQ(leaf.begin, end);
    std::uint64_t interactions = 0;
    for (std::int64_t i = leaf.begin; i < leaf.end; ++i)
      interactions += snapshots[static_cast<std::size_t>(i)].size();
    EXPECT_EQ(leaf.interactions, interactions);
    found += leaf.interactions;
    end = leaf.end;
  }
  EXPECT_EQ(found, all);
}

TEST(EpisodeLevels, AnEmptyStreamHasNoEpisodes) { EXPECT_TRUE(Divide({}).empty()); }

}  // namespace
}  // namespace weft::cache
