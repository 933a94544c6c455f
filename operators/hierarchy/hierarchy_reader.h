// What operators that keep a hierarchy of episodes publish: the tree itself, which the service
// reads between two micro-batches.
#pragma once

#include "cache/episode_queries.h"
#include "cache/episode_tree.h"
#include "cache/episode_view.h"
#include "cache/mix_affinity.h"
#include "gpu/exec.h"
#include "operators/hierarchy/mark_timeline.h"

namespace weft::operators::hierarchy {

// Published by `episode_tree_build`; the service reads it through Graph::Read.
class HierarchyReader {
 public:
  virtual ~HierarchyReader() = default;
  virtual const cache::EpisodeTree& tree() const = 0;
  // Where kernels over the tree run.
  virtual const gpu::Exec& exec() const = 0;
  // What other operators noticed.
  virtual const MarkTimeline& marks() const = 0;
};

}  // namespace weft::operators::hierarchy
