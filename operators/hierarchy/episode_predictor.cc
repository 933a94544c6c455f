#include "operators/hierarchy/episode_predictor.h"

#include <string>

#include "gpu/device.h"
#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/hierarchy/v1/hierarchy.pb.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int64_t kMostHorizonUs = std::int64_t{3652} * 24 * 3600 * 1'000'000;
constexpr std::int64_t kLeastEpisodes = 64;
constexpr std::int64_t kMostEpisodes = 1 << 16;
constexpr std::int64_t kMostPrecedents = 64;

absl::StatusOr<ForecasterOptions> ForecasterOptionsOf(const graph::OpenContext& context) {
  const auto& message = context.Options<v1::EpisodePredictor>();
  ForecasterOptions options;
  WEFT_TRY(graph::ReadBound(context, "horizon_us", message.horizon_us(), 1, kMostHorizonUs,
                            options.horizon_us));
  WEFT_TRY(graph::ReadBound(context, "max_precedents", message.max_precedents(), kLeastEpisodes,
                            kMostEpisodes, options.most_precedents));
  WEFT_TRY(graph::ReadBound(context, "precedents", message.precedents(), 1, kMostPrecedents,
                            options.precedents));
  switch (message.head()) {
    case v1::EpisodePredictor::HEAD_UNSPECIFIED:
    case v1::EpisodePredictor::HEAD_LOGISTIC:
      break;
    case v1::EpisodePredictor::HEAD_COUNTED:
      options.head = HazardHead::kCounted;
      break;
    case v1::EpisodePredictor::HEAD_RELATIONAL:
      options.head = HazardHead::kRelational;
      break;
    default:
      return context.OptionError("head", graph::Concat("there is no head ", message.head()));
  }
  options.seed = message.seed();
  return options;
}

}  // namespace

graph::Contract EpisodePredictor::contract() {
  graph::Contract contract;
  contract.Input(kReadout);
  contract.Output(kForecasts);
  contract.options_type = v1::EpisodePredictor::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  return contract;
}

absl::Status EpisodePredictor::Open(graph::OpenContext& context) {
  WEFT_ASSIGN(const ForecasterOptions options, ForecasterOptionsOf(context));
  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  forecaster_.emplace(options, *exec);
  return absl::OkStatus();
}

absl::Status EpisodePredictor::Process(graph::ProcessContext& context) {
  const ReadoutBatch& readouts = context.Get(kReadout);
  auto batch = std::make_shared<ForecastBatch>();
  for (std::int64_t row = context.begin(); row < context.end(); ++row)
    forecaster_->Take(readouts.rows[static_cast<std::size_t>(row)], batch->rows);
  if (!batch->rows.empty()) context.Emit<ForecastBatch>(kForecasts, std::move(batch));
  return absl::OkStatus();
}

absl::Status EpisodePredictor::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("forecasts", *forecaster_, sink);
}

absl::Status EpisodePredictor::Load(graph::CheckpointSource& source) {
  return graph::LoadState("forecasts", *forecaster_, source);
}

}  // namespace weft::operators::hierarchy
