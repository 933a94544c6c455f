// `snapshot_builder`: events -> snapshots. See snapshot_builder.md.
#pragma once

#include <optional>

#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

class SnapshotBuilder final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<SnapshotBatch> kSnapshots{"SNAPSHOTS"};

  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  void Count();

  std::optional<SnapshotCutter> cutter_;
  graph::Counter* late_ = nullptr;
  graph::Counter* left_out_ = nullptr;
  std::int64_t counted_late_ = 0, counted_left_out_ = 0;  // by the counters; not state
};

}  // namespace weft::operators::hierarchy
