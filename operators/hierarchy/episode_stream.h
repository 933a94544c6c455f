// EpisodeStream: events in order of time become snapshots (snapshots.h) and these a hierarchy of
// episodes (cache/episode_tree.h), without a graph: what `weft eval segments` and tests use. In a
// graph three operators do it.
#pragma once

#include <span>
#include <vector>

#include "cache/episode_tree.h"
#include "cache/leaf_boundaries.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

// Thread-compatible.
class EpisodeStream {
 public:
  EpisodeStream(const SnapshotOptions& snapshots, const cache::LeafOptions& leaf,
                const cache::EpisodeTreeOptions& tree = {})
      : cutter_(snapshots), leaf_(leaf), tree_(tree) {}

  // Appends what changes. A snapshot counts once an event of a later one comes.
  void Push(graph::EventSpan events, std::vector<cache::EpisodeChange>& changes);
  // No more events will come.
  void Finish(std::vector<cache::EpisodeChange>& changes);

  const cache::EpisodeTree& tree() const { return tree_; }
  const cache::LeafBoundaries& leaf() const { return leaf_; }

 private:
  void TakeIn(std::vector<cache::EpisodeChange>& changes);

  SnapshotCutter cutter_;
  cache::LeafBoundaries leaf_;
  cache::EpisodeTree tree_;
  SnapshotBatch batch_;
};

}  // namespace weft::operators::hierarchy
