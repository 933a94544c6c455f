#include "operators/hierarchy/salience.h"

#include <string>

#include "gpu/device.h"
#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/hierarchy/v1/hierarchy.pb.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int64_t kLeastWindow = 64;
constexpr std::int64_t kMostWindow = 4096;
constexpr std::int64_t kMostLearnEvery = 1 << 20;
constexpr std::int32_t kMostSteps = 64;
constexpr std::int64_t kLeastScores = 64;
constexpr std::int64_t kMostScores = 1 << 24;

absl::StatusOr<SalienceOptions> SalienceOptionsOf(const graph::OpenContext& context) {
  const auto& message = context.Options<v1::Salience>();
  SalienceOptions options;
  WEFT_TRY(graph::ReadBound(context, "window", message.window(), kLeastWindow, kMostWindow,
                            options.window));
  WEFT_TRY(graph::ReadBound(context, "learn_every", message.learn_every(), 1, kMostLearnEvery,
                            options.learn_every));
  WEFT_TRY(graph::ReadBound(context, "max_scores", message.max_scores(), kLeastScores, kMostScores,
                            options.most_scores));
  if (message.has_steps()) {
    if (message.steps() < 0 || message.steps() > kMostSteps)
      return context.OptionError(
          "steps", graph::Concat("expected 0 to ", kMostSteps, ", got ", message.steps()));
    options.steps = message.steps();
  }
  options.seed = message.seed();
  return options;
}

}  // namespace

graph::Contract Salience::contract() {
  graph::Contract contract;
  contract.Input(kEpisodes);
  contract.Output(kSalience);
  contract.options_type = v1::Salience::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = 1 << 20;
  return contract;
}

absl::Status Salience::Open(graph::OpenContext& context) {
  WEFT_ASSIGN(const SalienceOptions options, SalienceOptionsOf(context));
  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  salience_.emplace(options, *exec);
  loss_ = &context.metrics().GetGauge("weft_salience_loss",
                                      "Loss of the latest step of learning; 0.693 says nothing.",
                                      {{"node", std::string(context.node_name())}});
  return absl::OkStatus();
}

absl::Status Salience::Process(graph::ProcessContext& context) {
  // A whole packet: children of one parent are not torn apart.
  WEFT_CHECK(context.begin() == 0 && context.end() == context.packet().row_count());
  auto batch = std::make_shared<SalienceBatch>();
  salience_->Take(context.Get(kEpisodes), batch->rows);
  if (const auto loss = salience_->loss()) loss_->Set(*loss);
  if (!batch->rows.empty()) context.Emit<SalienceBatch>(kSalience, std::move(batch));
  return absl::OkStatus();
}

absl::Status Salience::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("salience", *salience_, sink);
}

absl::Status Salience::Load(graph::CheckpointSource& source) {
  return graph::LoadState("salience", *salience_, source);
}

}  // namespace weft::operators::hierarchy
