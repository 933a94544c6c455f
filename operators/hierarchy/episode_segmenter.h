// `episode_segmenter`: snapshots -> where leaf episodes end. See episode_segmenter.md.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/leaf_boundaries.h"
#include "graph/operator.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

// Snapshots [begin, end) of `snapshots`, and what was decided when each of them came.
struct SegmentedSnapshots {
  std::shared_ptr<const SnapshotBatch> snapshots;
  std::int64_t begin = 0, end = 0;
  std::vector<cache::LeafStep> steps;
  std::vector<std::size_t> steps_end;      // of each snapshot
  std::vector<std::int64_t> latest_score;  // as LeafBoundaries has it after each snapshot

  std::int64_t size() const { return end - begin; }
  std::span<const cache::LeafStep> StepsOf(std::int64_t row) const {
    const auto at = static_cast<std::size_t>(row);
    const std::size_t first = at == 0 ? 0 : steps_end[at - 1];
    return std::span(steps).subspan(first, steps_end[at] - first);
  }
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
  std::vector<std::uint32_t> profile_ = std::vector<std::uint32_t>(cache::kProfileSlots);
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::SegmentedSnapshots, "SegmentedSnapshots");
