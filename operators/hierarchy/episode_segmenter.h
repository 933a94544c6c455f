// `episode_segmenter`: snapshots -> where leaf episodes end. See episode_segmenter.md.
#pragma once

#include <memory>
#include <optional>

#include "cache/leaf_boundaries.h"
#include "graph/operator.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

// Snapshots [begin, end) of `snapshots`, and what was decided when each of them came.
struct SegmentedSnapshots {
  std::shared_ptr<const SnapshotBatch> snapshots;
  std::int64_t begin = 0, end = 0;
  cache::LeafDecisions decided;

  std::int64_t size() const { return end - begin; }
};

class EpisodeSegmenter final : public graph::Operator {
 public:
  static constexpr graph::In<SnapshotBatch> kSnapshots{"SNAPSHOTS"};
  static constexpr graph::Out<SegmentedSnapshots> kSegmented{"SEGMENTED"};

  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<cache::LeafBoundaries> boundaries_;
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::SegmentedSnapshots, "SegmentedSnapshots");
