// What operators that keep a hierarchy of episodes publish: the tree itself, which the service
// reads between two micro-batches, and the changes to it, as packets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode_queries.h"
#include "cache/episode_tree.h"
#include "cache/episode_view.h"
#include "cache/mix_affinity.h"
#include "gpu/exec.h"
#include "graph/packet.h"
#include "operators/hierarchy/mark_timeline.h"

namespace weft::operators::hierarchy {

// A change, and the episode as it then was.
struct EpisodeRow {
  cache::EpisodeChange::Kind kind = cache::EpisodeChange::kOpened;
  std::int32_t level = 1;
  std::int64_t number = 0;
  std::int64_t parent_begin = cache::Episode::kUndecided;  // first snapshot of the parent
  // Of one that was opened only where it begins.
  cache::Episode episode;
  std::size_t pairs_end = 0;  // of its pair list in the batch's words
};

// One row a change, in the order in which they happened.
struct EpisodeBatch {
  std::vector<EpisodeRow> rows;
  std::vector<std::uint32_t> words;

  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
  std::span<const std::uint32_t> PairsOf(std::size_t row) const {
    const std::size_t begin = row == 0 ? 0 : rows[row - 1].pairs_end;
    return std::span(words).subspan(begin, rows[row].pairs_end - begin);
  }
};

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

WEFT_PACKET_TYPE(weft::operators::hierarchy::EpisodeBatch, "EpisodeBatch");
