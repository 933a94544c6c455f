// `episode_tree_build`: leaf episodes -> the hierarchy of episodes, kept and readable. See
// episode_tree_build.md.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/episode_segmenter.h"
#include "operators/hierarchy/hierarchy_reader.h"

namespace weft::operators::hierarchy {

class EpisodeTreeBuild final : public graph::Operator, public HierarchyReader {
 public:
  static constexpr graph::In<SegmentedSnapshots> kSegmented{"SEGMENTED"};
  // From as many operators as there are ports.
  static constexpr std::array<graph::In<graph::MarkBatch>, 4> kMarks = {
      {{"MARKS"}, {"MARKS_2"}, {"MARKS_3"}, {"MARKS_4"}}};
  static constexpr graph::Out<EpisodeBatch> kEpisodes{"EPISODES"};

  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

  const cache::EpisodeTree& tree() const override { return *tree_; }
  const gpu::Exec& exec() const override { return exec_; }
  const MarkTimeline& marks() const override { return *marks_; }

 private:
  void TakeMarks(const graph::MarkBatch& batch, const graph::ProcessContext& context);

  gpu::Exec exec_;
  bool sends_ = false;
  std::int64_t report_every_ = 0;  // snapshots; 0: never
  std::optional<cache::EpisodeTree> tree_;
  std::optional<MarkTimeline> marks_;
  std::vector<cache::EpisodeChange> changes_;
  graph::Counter* snapshots_ = nullptr;
  std::vector<graph::Gauge*> episodes_;  // of each level
};

}  // namespace weft::operators::hierarchy
