// NatWorkspace: the buffers of one NAT micro-batch, and the plan that says which nodes and pairs it
// has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/dense_index.h"
#include "gpu/arena.h"
#include "graph/event_batch.h"
#include "operators/link/nat_kernels.h"

namespace weft::operators::link {

// Everything is allocated at construction: about 1.6 MB for 64 pairs at the default dimensions,
// twice that with learning.
class NatWorkspace {
 public:
  // At most `max_pairs` pairs a batch; `entries_per_node` slots a row.
  NatWorkspace(const NatWeights& weights, std::int64_t max_pairs, std::int64_t entries_per_node,
               bool learning, gpu::Memory memory);

  std::int64_t max_pairs() const { return max_pairs_; }

  // The pairs of the batch, one after the other; then `view` gets the numbers of their distinct
  // nodes, sources, targets.
  void StartPlan();
  void AddPair(graph::NodeId source, graph::NodeId target);
  void FinishPlan(NatView& view);

  std::span<const std::uint32_t> nodes() const {
    return {nodes_.ids(), static_cast<std::size_t>(nodes_.size())};
  }
  std::span<const std::int32_t> pair_source() const {
    return {pair_source_, static_cast<std::size_t>(pair_count_)};
  }
  std::span<const std::int32_t> pair_target() const {
    return {pair_target_, static_cast<std::size_t>(pair_count_)};
  }

  // Lists pairs by source and by target, and entries by what they read through a projection.
  void PlanGradients(NatView& view);

  // Rows, filled by the model once the nodes and entries are known.
  std::uint32_t *node_row, *opponent_row, *node_event;
  // What slots read through a projection.
  struct Projected {
    std::uint32_t *entry_row, *stale_row;
  } key, event;
  // Transposed weight matrices, ones and a scratch matrix, for gradients.
  float *transposed, *ones, *transposed_gradient;

 private:
  void PlacePlans();
  void PlaceForward(const NatWeights& weights);
  void PlaceGradients(const NatWeights& weights);

  std::int64_t max_pairs_;
  std::int64_t max_nodes_;
  std::int64_t max_entries_;
  bool learning_;
  std::int64_t pair_count_ = 0;

  // Of NatProjected: the entries by the distinct rows that they read.
  struct Grouped {
    std::int32_t *number, *begin, *entries;
    std::uint32_t* row;
  };
  void PlaceProjected(Projected& projected, NatProjected& view);
  void PlaceGrouped(Grouped& grouped, NatProjected& view);
  void Group(const Projected& projected, const Grouped& grouped, std::int32_t entry_count,
             NatProjected& view);

  cache::DenseIndex nodes_, sources_, targets_, rows_;
  gpu::Arena arena_;
  std::int32_t *pair_source_, *pair_target_, *pair_source_index_, *pair_target_index_;
  std::int32_t *source_pairs_begin_, *source_pairs_, *target_pairs_begin_, *target_pairs_;
  std::int32_t *node_source_index_, *node_target_index_;
  Grouped keys_, events_;
  std::vector<std::int32_t> fill_;
  NatView placed_ = {};  // the pointers, once and for all
};

}  // namespace weft::operators::link
