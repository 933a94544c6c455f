#include "cache/episode_tree.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "cache/salience.h"
#include "cache/test_archive.h"
#include "cache/test_snapshots.h"

namespace weft::cache {
namespace {

// A closed episode with its pairs.
struct Closed {
  Episode episode;
  std::map<std::uint32_t, std::uint64_t> pairs;
};

std::map<std::uint32_t, std::uint64_t> PairsOf(const EpisodeRing& ring, const Episode& episode) {
  std::map<std::uint32_t, std::uint64_t> pairs;
  ForEachPair(ring.PairsOf(episode),
              [&pairs](std::uint32_t slot, std::uint64_t count) { pairs[slot] = count; });
  return pairs;
}

// By level; number i is at place i.
std::vector<std::vector<Closed>> ClosedOf(const EpisodeTree& tree) {
  std::vector<std::vector<Closed>> levels;
  for (std::int32_t level = 1; level <= kMostLevels && tree.closed(level).end() > 0; ++level) {
    const EpisodeRing& ring = tree.closed(level);
    auto& closed = levels.emplace_back();
    for (std::int64_t number = ring.first(); number < ring.end(); ++number)
      closed.push_back({ring[number], PairsOf(ring, ring[number])});
  }
  return levels;
}

GrowingTree Divide(const Snapshots& snapshots, const LeafOptions& options = {}) {
  GrowingTree growing({}, options);
  growing.Push(snapshots, 0, snapshots.size());
  growing.Finish();
  return growing;
}

TEST(EpisodeTree, EveryLevelCoversTheStream) {
  const GrowingTree growing = Divide(ChangingSnapshots(1, 6000));
  const auto levels = ClosedOf(growing.tree());
  ASSERT_GE(levels.size(), 3u);
  for (const auto& level : levels) {
    std::int64_t end = 0;
    for (const auto& [episode, pairs] : level) {
      EXPECT_EQ(episode.begin, end);
      EXPECT_LT(episode.begin, episode.end);
      EXPECT_EQ(episode.begin_us, kSnapshotUs * episode.begin);
      EXPECT_EQ(episode.end_us, kSnapshotUs * episode.end);
      end = episode.end;
    }
    EXPECT_EQ(end, 6000);
  }
}

// Everything about an episode is the sum of its children's, to the last interaction.
TEST(EpisodeTree, ParentsAreTheSumsOfTheirChildren) {
  const Snapshots snapshots = ChangingSnapshots(2, 6000);
  const GrowingTree growing = Divide(snapshots);
  auto levels = ClosedOf(growing.tree());
  std::vector<Closed> children;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    Closed& snapshot = children.emplace_back();
    snapshot.episode.begin = static_cast<std::int64_t>(i);
    snapshot.episode.end = snapshot.episode.begin + 1;
    snapshot.episode.interactions = snapshots[i].size();
    for (const auto [source, target] : snapshots[i]) ++snapshot.pairs[PairSlot(source, target)];
  }
  levels.insert(levels.begin(), children);
  for (std::size_t level = 1; level < levels.size(); ++level) {
    std::size_t child = 0;
    for (std::size_t number = 0; number < levels[level].size(); ++number) {
      const auto& [episode, pairs] = levels[level][number];
      std::map<std::uint32_t, std::uint64_t> sums;
      std::uint64_t interactions = 0;
      EXPECT_EQ(static_cast<std::size_t>(episode.first_child), child);
      for (std::int64_t i = 0; i < episode.child_count; ++i, ++child) {
        const Closed& part = levels[level - 1][child];
        EXPECT_TRUE(episode.begin <= part.episode.begin && part.episode.end <= episode.end);
        for (const auto& [slot, count] : part.pairs) sums[slot] += count;
        interactions += part.episode.interactions;
        if (level > 1) {
          EXPECT_EQ(static_cast<std::size_t>(part.episode.parent), number);
        }
      }
      EXPECT_EQ(interactions, episode.interactions);
      EXPECT_EQ(sums, pairs);
    }
    EXPECT_EQ(child, levels[level - 1].size());
  }
}

// The definition of a level, in floating point: where the mixes of three episodes on each side
// differ most.
std::vector<std::int64_t> OracleLevel(const std::vector<Closed>& below) {
  constexpr int kBeside = LevelBoundaries::kBeside;
  const int count = static_cast<int>(below.size());
  const auto score_of = [&](int at) {
    std::map<std::uint32_t, std::pair<double, double>> pairs;
    double before = 0.0, after = 0.0;
    for (int i = std::max(0, at - kBeside); i < std::min(count, at + kBeside); ++i) {
      for (const auto& pair : below[static_cast<std::size_t>(i)].pairs) {
        (i < at ? pairs[pair.first].first : pairs[pair.first].second) +=
            static_cast<double>(pair.second);
        (i < at ? before : after) += static_cast<double>(pair.second);
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
    if (is_peak) boundaries.push_back(below[static_cast<std::size_t>(at)].episode.begin);
  }
  return boundaries;
}

TEST(EpisodeTree, HigherLevelsAgreeWithTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const GrowingTree growing = Divide(ChangingSnapshots(seed, 8000));
    const auto levels = ClosedOf(growing.tree());
    for (std::size_t level = 1; level < levels.size(); ++level) {
      std::vector<std::int64_t> boundaries;
      for (const Closed& closed : levels[level])
        if (closed.episode.begin > 0) boundaries.push_back(closed.episode.begin);
      EXPECT_EQ(boundaries, OracleLevel(levels[level - 1])) << "level " << level + 1;
    }
  }
}

// The salience of children sums to the log likelihood ratio of the split, and is never negative.
TEST(EpisodeTree, SalienceIsTheGainOfTheSplit) {
  const GrowingTree growing = Divide(ChangingSnapshots(5, 8000));
  const auto levels = ClosedOf(growing.tree());
  for (std::size_t level = 1; level < levels.size(); ++level) {
    for (const auto& [parent, pairs] : levels[level]) {
      double gain = 0.0, found = 0.0;
      const auto entropy = [](std::uint64_t n) {
        return n == 0 ? 0.0 : static_cast<double>(n) * std::log(static_cast<double>(n));
      };
      for (std::int64_t i = 0; i < parent.child_count; ++i) {
        const Closed& child = levels[level - 1][static_cast<std::size_t>(parent.first_child + i)];
        EXPECT_GE(child.episode.salience, 0);
        found += static_cast<double>(child.episode.salience) / kLikelihoodOne;
        gain -= entropy(child.episode.interactions);
        for (const auto& [slot, count] : child.pairs) gain += entropy(count);
      }
      gain += entropy(parent.interactions);
      for (const auto& [slot, count] : pairs) gain -= entropy(count);
      EXPECT_NEAR(found, gain, 1e-5 + 1e-9 * gain);
    }
  }
}

TEST(EpisodeTree, NamesWhoTookPart) {
  const Snapshots snapshots = ChangingSnapshots(6, 3000);
  const GrowingTree growing = Divide(snapshots);
  const Closed leaf = ClosedOf(growing.tree())[0][7];
  std::map<std::uint32_t, std::uint32_t> nodes;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> pairs;
  for (std::int64_t i = leaf.episode.begin; i < leaf.episode.end; ++i) {
    for (const auto [source, target] : snapshots[static_cast<std::size_t>(i)]) {
      ++nodes[source];
      if (target != source) ++nodes[target];
      ++pairs[{source, target}];
    }
  }
  std::uint32_t last = 0xffffffffu;
  for (const TopNode& node : leaf.episode.nodes) {
    EXPECT_EQ(node.count, nodes[node.node]);
    EXPECT_LE(node.count, last);
    last = node.count;
  }
  for (const TopPair& pair : leaf.episode.pairs)
    EXPECT_EQ(pair.count, (pairs[{pair.source, pair.target}]));
}

TEST(EpisodeTree, ALaterEndChangesNothingThatWasClosed) {
  const Snapshots snapshots = ChangingSnapshots(3, 7000);
  GrowingTree growing;
  growing.Push(snapshots, 0, 5000);
  const auto early = ClosedOf(growing.tree());
  growing.Push(snapshots, 5000, 7000);
  const auto late = ClosedOf(growing.tree());
  for (std::size_t level = 0; level < early.size(); ++level) {
    for (std::size_t number = 0; number < early[level].size(); ++number) {
      Episode before = early[level][number].episode;
      const Episode& after = late[level][number].episode;
      if (before.parent == Episode::kUndecided) {
        before.parent = after.parent;
        before.salience = after.salience;
      }
      EXPECT_EQ(before, after) << level << " " << number;
      EXPECT_EQ(early[level][number].pairs, late[level][number].pairs);
    }
  }
}

// A leaf is decided at most two windows after its end, one of a higher level five episodes of the
// level below after.
TEST(EpisodeTree, DecidesWithinItsBounds) {
  GrowingTree growing;
  const Snapshots snapshots = ChangingSnapshots(4, 6000);
  std::map<std::int32_t, std::int64_t> opened, closed;
  for (const auto& snapshot : snapshots) {
    growing.changes().clear();
    growing.Push(snapshot);
    for (const auto& [kind, level, number] : growing.changes()) {
      const EpisodeTree& tree = growing.tree();
      if (kind == EpisodeChange::kOpened) {
        EXPECT_EQ(number, opened[level]++);
      }
      if (kind != EpisodeChange::kClosed) continue;
      EXPECT_EQ(number, closed[level]++);
      const Episode& episode = tree.closed(level)[number];
      if (level == 1) {
        EXPECT_LE(tree.snapshot_count() - episode.end, 2 * 16);
      } else {
        EXPECT_LE(tree.closed(level - 1).end() - (episode.first_child + episode.child_count),
                  2 * LevelBoundaries::kBeside - 1);
      }
    }
  }
  EXPECT_GE(closed.size(), 3u);
  for (const auto& [level, count] : closed) EXPECT_EQ(opened[level], count + 1);
}

TEST(EpisodeTree, ACutEpisodeKeepsItsInteractions) {
  LeafOptions options;
  options.threshold = 1000 * kLikelihoodOne;  // nothing but cuts
  options.longest = 128;
  const Snapshots snapshots = ChangingSnapshots(4, 3000);
  std::uint64_t all = 0, found = 0;
  for (const auto& snapshot : snapshots) all += snapshot.size();
  std::int64_t end = 0;
  const GrowingTree growing = Divide(snapshots, options);
  const auto levels = ClosedOf(growing.tree());
  for (const auto& [leaf, pairs] : levels[0]) {
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

// Saved and loaded at twenty places, it ends as the same bytes.
TEST(EpisodeTree, ResumesWhereItWasSaved) {
  const Snapshots snapshots = ChangingSnapshots(7, 4000);
  EpisodeTreeOptions options;
  options.most_leaves = 64;
  const auto bytes_of = [](const GrowingTree& growing) {
    SavingArchive archive;
    GrowingTree::VisitState(growing, archive);
    return archive.bytes();
  };
  GrowingTree whole(options);
  whole.Push(snapshots, 0, snapshots.size());
  auto parts = std::make_unique<GrowingTree>(options);
  for (std::size_t begin = 0; begin < snapshots.size(); begin += 200) {
    parts->Push(snapshots, begin, begin + 200);
    const std::string bytes = bytes_of(*parts);
    parts = std::make_unique<GrowingTree>(options);
    LoadingArchive archive(bytes);
    GrowingTree::VisitState(*parts, archive);
    ASSERT_TRUE(archive.ok() && archive.AtEnd());
    EXPECT_EQ(bytes_of(*parts), bytes);
  }
  EXPECT_EQ(bytes_of(*parts), bytes_of(whole));
}

TEST(EpisodeTree, RefusesBytesThatAreNoTree) {
  GrowingTree growing;
  const Snapshots snapshots = ChangingSnapshots(7, 1000);
  growing.Push(snapshots, 0, snapshots.size());
  SavingArchive saved;
  GrowingTree::VisitState(growing, saved);
  for (std::size_t size = 0; size < saved.bytes().size(); size += 997) {
    GrowingTree other;
    LoadingArchive archive(std::string_view(saved.bytes()).substr(0, size));
    GrowingTree::VisitState(other, archive);
    EXPECT_FALSE(archive.ok()) << size;
  }
}

// Few leaves and few pairs: the oldest go, and never a parent before its children.
TEST(EpisodeTree, KeepsTheLatestWithinItsBounds) {
  const Snapshots snapshots = ChangingSnapshots(8, 30'000);
  EpisodeTreeOptions options;
  options.most_leaves = 100;
  options.most_words = 1 << 16;
  GrowingTree bounded(options), unbounded;
  bounded.Push(snapshots, 0, snapshots.size());
  unbounded.Push(snapshots, 0, snapshots.size());
  EXPECT_LE(bounded.tree().closed(1).end() - bounded.tree().closed(1).first(), 100);
  for (std::int32_t level = 1; level <= 4; ++level) {
    const EpisodeRing& few = bounded.tree().closed(level);
    const EpisodeRing& all = unbounded.tree().closed(level);
    ASSERT_EQ(few.end(), all.end());
    for (std::int64_t number = few.first(); number < few.end(); ++number) {
      Episode kept = few[number], same = all[number];
      EXPECT_EQ(PairsOf(few, kept), PairsOf(all, same));
      kept.pairs_begin = same.pairs_begin = 0;
      EXPECT_EQ(kept, same);
      if (kept.parent != Episode::kUndecided) {
        EXPECT_GE(kept.parent, bounded.tree().closed(level + 1).first());
      }
    }
  }
}

TEST(EpisodeTree, DropsWhatEndedTooLongAgo) {
  EpisodeTreeOptions options;
  options.keep_us[0] = 500 * kSnapshotUs;
  GrowingTree growing(options);
  const Snapshots snapshots = ChangingSnapshots(9, 8000);
  growing.Push(snapshots, 0, snapshots.size());
  const EpisodeRing& leaves = growing.tree().closed(1);
  EXPECT_GT(leaves.first(), 50);
  // The parents of those that are younger than half a second have to be decided first.
  EXPECT_GE(leaves[leaves.first()].end_us, (8000 - 1500) * kSnapshotUs);
  EXPECT_EQ(growing.tree().closed(2).first(), 0);
}

// A few records a leaf, however long the stream is.
TEST(EpisodeTree, TouchesFewRecords) {
  GrowingTree growing;
  const Snapshots snapshots = ChangingSnapshots(10, 20'000);
  growing.Push(snapshots, 0, snapshots.size());
  EXPECT_LE(growing.tree().touched_records(), 3 * growing.tree().snapshot_count());
}

TEST(EpisodeTree, AnEmptyStreamHasNoEpisodes) {
  GrowingTree growing = Divide({});
  EXPECT_TRUE(ClosedOf(growing.tree()).empty());
  EXPECT_TRUE(growing.changes().empty());
}

TEST(EpisodeId, CanBeTurnedBack) {
  for (std::int32_t level = 1; level <= kMostLevels; ++level) {
    for (const std::int64_t begin : {0l, 1l, 12'345'678'901l, (1l << 56) - 1})
      EXPECT_EQ(PlaceOfId(EpisodeId({level, begin})), (EpisodePlace{level, begin}));
  }
}

}  // namespace
}  // namespace weft::cache
