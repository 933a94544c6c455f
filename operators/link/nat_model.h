// NatModel: neighbourhood-aware temporal link prediction (Luo and Li, LoG 2022) with the repairs
// described in nat.md: which of two nodes will interact next, from their cached neighbourhoods.
// A micro-batch is scored from the state as of its start, at the time of its first event.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/neighbor_cache.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "operators/learn/adam.h"
#include "operators/link/event_features.h"
#include "operators/link/grouped_link_model.h"
#include "operators/link/nat_kernels.h"
#include "operators/link/nat_weights.h"
#include "operators/link/nat_workspace.h"

namespace weft::operators::link {

struct NatOptions {
  NatDimensions dimensions;
  cache::NeighborCacheOptions cache;
  learn::AdamOptions adam;
  LinkReads reads = LinkReads::kBeforeBatch;
  std::int64_t micro_batch = 32;          // events, B of before_batch(B)
  std::int64_t feature_events = 1 << 16;  // events whose features are remembered; a power of two
  std::uint64_t seed = 1;                 // of the initial weights
  bool learning = true;  // false leaves out the gradients' memory; Learn must not be called then
};

// Thread-compatible. Exact: the same calls give the same bits on any number of threads.
class NatModel final : public GroupedLinkModel {
 public:
  NatModel(const NatOptions& options, const gpu::Exec& exec);

  std::string name() const override { return "nat"; }
  bool scores_are_probabilities() const override { return true; }
  std::optional<float> LogOdds(float random) const override;
  std::int64_t parameter_count() const override { return layout_.count; }
  std::vector<std::pair<std::string, std::int64_t>> dims() const override;
  std::int64_t bytes_per_node() const override;

  void ResetState() override;
  void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
             std::span<float> positive_score, std::span<float> negative_score) override;
  double Learn(graph::EventSpan events, std::span<const graph::NodeId> negative) override;
  // Training's steps start twice as long as the service's and shrink linearly to a tenth of that.
  void SetTrainingProgress(double done) override {
    rate_factor_ = 2.0f * (1.0f - 0.9f * static_cast<float>(done));
  }
  void Observe(graph::EventSpan events) override;
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  graph::TimeUs time_us, std::span<PairScore> score) const override;

  absl::Status SaveWeights(graph::CheckpointSink& sink) const override;
  absl::Status LoadWeights(graph::CheckpointSource& source) override;
  absl::Status SaveState(graph::CheckpointSink& sink) const override;
  absl::Status LoadState(graph::CheckpointSource& source) override;

  const NatWeights& layout() const { return layout_; }
  // To change weights by hand.
  std::span<float> weights() {
    ++weights_version_;
    return weights_.span();
  }
  // Of the last Learn, before the optimiser's step; for checking derivatives.
  std::span<const float> gradient() const {
    return {view_.gradient, static_cast<std::size_t>(layout_.count)};
  }
  const cache::NeighborCache& neighbor_cache() const { return cache_; }

 private:
  graph::TimeUs AskedTime(graph::EventSpan events, std::size_t) const override {
    return events.time_us[0];
  }
  // Whether view_ holds the reads that Observe needs of `events`.
  bool ReadIsOf(graph::EventSpan events) const;
  // Fills `view` for the planned pairs of `workspace` and computes everything up to the nodes' and
  // slots' new states.
  void ReadNodes(NatWorkspace& workspace, cache::NeighborCache& cache, graph::TimeUs time_us,
                 NatView& view) const;
  void FindNodes(NatWorkspace& workspace, const cache::NeighborCache& cache,
                 const NatNow& now) const;
  // Finds what the entries read through projections.
  void FindProjected(NatWorkspace& workspace, const cache::NeighborCache& cache,
                     NatView& view) const;
  // Lists the projections that are not of the present weights, each once, and marks them as made.
  void FindStale(const NatWorkspace::Projected& rows, std::int32_t entry_count,
                 NatProjected& view) const;
  // Makes the stale ones: rows of `matrix` times `part`.
  void Renew(const float* matrix, const NatPart& part, const NatProjected& view) const;
  void ScoreReadPairs(const NatView& view) const;
  void ComputeGradient();
  void ProjectionGradient(const NatProjected& view, const float* matrix, const NatPart& part);
  NatNow NowAt(graph::TimeUs time_us) const;
  void GrowRows();
  void KeepFeatures(graph::EventSpan events);

  NatOptions options_;
  gpu::Exec exec_;
  NatWeights layout_;
  gpu::Buffer<float> weights_;
  std::uint64_t weights_version_ = 1;  // counts their changes in this process
  learn::Adam adam_;
  float rate_factor_ = 1.0f;

  // State. `cache_` and the read workspace are also scratch of const reads, which leave no trace in
  // the rows; projections only remember what follows from states, features and weights.
  mutable cache::NeighborCache cache_;
  gpu::Buffer<float> self_state_;                  // by row
  gpu::Buffer<NatRecord> record_;                  // by row
  mutable gpu::Buffer<NatProjection> projection_;  // of self_state_, by row
  EventFeatures features_;
  mutable gpu::Buffer<NatProjection> feature_projection_;  // of features_, by row
  struct Stream {
    std::int64_t event_count = 0;
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
  } stream_;

  // Of the micro-batch at hand.
  NatWorkspace workspace_;
  NatView view_ = {};
  // Whether view_ holds reads of the present state, of the first event's time, and of which pairs.
  mutable bool read_is_current_ = false;
  graph::TimeUs read_time_us_ = 0;
  std::vector<graph::NodeId> read_source_, read_target_;
  gpu::Buffer<cache::Interaction> interactions_;

  mutable std::unique_ptr<NatWorkspace> read_workspace_;  // of ScorePairs
};

}  // namespace weft::operators::link
