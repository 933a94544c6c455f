// Streams of snapshots, and trees of them, for tests.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "cache/episode_tree.h"
#include "cache/leaf_boundaries.h"

namespace weft::cache {

inline constexpr std::int64_t kSnapshotUs = 1000;

using Snapshots = std::vector<std::vector<NodePair>>;

// Who is busy changes every 15 to 60 snapshots, who talks to whom every 4 to 8 times of that.
inline Snapshots ChangingSnapshots(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Snapshots snapshots;
  std::uint32_t shift = 0;
  for (std::uint64_t fine = 0; snapshots.size() < count; ++fine) {
    if (fine % (4 + seed % 5) == 0) shift = static_cast<std::uint32_t>(random() % 30);
    const auto hub = static_cast<std::uint32_t>(random() % 30);
    for (std::uint64_t i = 15 + random() % 46; i > 0 && snapshots.size() < count; --i) {
      std::vector<NodePair> snapshot;
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

// A tree with what decides its leaves. Snapshot i spans times [1000 i, 1000 (i + 1)).
class GrowingTree {
 public:
  explicit GrowingTree(const EpisodeTreeOptions& options = {}, const LeafOptions& leaf = {})
      : tree_(options), leaf_(leaf) {}

  void Push(std::span<const NodePair> interactions) {
    LeafDecisions decided;
    const std::size_t end = interactions.size();
    leaf_.Push({interactions, 0, std::span(&end, 1)}, decided);
    const std::int64_t begin_us = kSnapshotUs * tree_.snapshot_count();
    tree_.Push(interactions, begin_us, begin_us + kSnapshotUs, decided.steps, changes_);
  }
  void Push(const Snapshots& snapshots, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) Push(snapshots[i]);
  }
  void Finish() {
    std::vector<LeafStep> steps;
    leaf_.Finish(steps);
    tree_.Finish(steps, changes_);
  }

  const EpisodeTree& tree() const { return tree_; }
  std::vector<EpisodeChange>& changes() { return changes_; }

  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    EpisodeTree::VisitState(self.tree_, archive);
    LeafBoundaries::VisitState(self.leaf_, archive);
  }

 private:
  EpisodeTree tree_;
  LeafBoundaries leaf_;
  std::vector<EpisodeChange> changes_;
};

}  // namespace weft::cache
