// `episode_readout`: what happens to episodes -> numbers to learn from. See episode_readout.md.
#pragma once

#include "graph/operator.h"
#include "operators/hierarchy/readout.h"

namespace weft::operators::hierarchy {

class EpisodeReadout final : public graph::Operator {
 public:
  static constexpr graph::In<EpisodeBatch> kEpisodes{"EPISODES"};
  static constexpr graph::Out<ReadoutBatch> kReadout{"READOUT"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  ReadoutBuilder builder_;
};

}  // namespace weft::operators::hierarchy
