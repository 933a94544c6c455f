#include "operators/hierarchy/episode_readout.h"

#include "graph/check.h"
#include "graph/state_archive.h"

namespace weft::operators::hierarchy {

graph::Contract EpisodeReadout::contract() {
  graph::Contract contract;
  contract.Input(kEpisodes);
  contract.Output(kReadout);
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = 1 << 20;
  return contract;
}

absl::Status EpisodeReadout::Open(graph::OpenContext&) { return absl::OkStatus(); }

absl::Status EpisodeReadout::Process(graph::ProcessContext& context) {
  // A whole packet: what is open at a moment is not torn apart.
  WEFT_CHECK(context.begin() == 0 && context.end() == context.packet().row_count());
  auto batch = std::make_shared<ReadoutBatch>();
  builder_.Take(context.Get(kEpisodes), batch->rows);
  if (!batch->rows.empty()) context.Emit<ReadoutBatch>(kReadout, std::move(batch));
  return absl::OkStatus();
}

absl::Status EpisodeReadout::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("readout", builder_, sink);
}

absl::Status EpisodeReadout::Load(graph::CheckpointSource& source) {
  return graph::LoadState("readout", builder_, source);
}

}  // namespace weft::operators::hierarchy
