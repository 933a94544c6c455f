#include "operators/hierarchy/episode_segmenter.h"

#include <algorithm>
#include <string>

#include "gpu/device.h"
#include "graph/check.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/hierarchy/v1/hierarchy.pb.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int32_t kMostLeafWindow = 1024;
constexpr double kLeastThreshold = -100.0;
constexpr double kMostThreshold = 1e6;
constexpr std::int64_t kMostSnapshots = 1 << 20;

absl::StatusOr<cache::LeafOptions> LeafOptionsOf(const graph::OpenContext& context) {
  const auto& message = context.Options<v1::EpisodeSegmenter>();
  cache::LeafOptions options;
  if (message.window() != 0) options.window = message.window();
  if (options.window < 2 || options.window > kMostLeafWindow)
    return context.OptionError(
        "window", graph::Concat("expected 2 to ", kMostLeafWindow, ", got ", message.window()));
  if (message.has_threshold()) {
    if (!(message.threshold() >= kLeastThreshold && message.threshold() <= kMostThreshold))
      return context.OptionError(
          "threshold", graph::Concat("expected ", kLeastThreshold, " to ", kMostThreshold, ", got ",
                                     message.threshold()));
    options.threshold =
        static_cast<std::int64_t>(message.threshold() * static_cast<double>(cache::kLikelihoodOne));
  }
  if (!(message.quantile() >= 0.0 && message.quantile() < 1.0))
    return context.OptionError(
        "quantile", graph::Concat("expected 0 or more and under 1, got ", message.quantile()));
  options.threshold_quantile = static_cast<float>(message.quantile());
  const std::int64_t least = 4 * std::int64_t{options.window};
  options.longest =
      message.max_snapshots() == 0 ? std::max(options.longest, least) : message.max_snapshots();
  if (options.longest < least || options.longest > kMostSnapshots)
    return context.OptionError("max_snapshots",
                               graph::Concat("expected ", least, ", which is 4 windows, to ",
                                             kMostSnapshots, ", got ", message.max_snapshots()));
  return options;
}

}  // namespace

graph::Contract EpisodeSegmenter::contract() {
  graph::Contract contract;
  contract.Input(kSnapshots);
  contract.Output(kSegmented);
  contract.options_type = v1::EpisodeSegmenter::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = cache::LeafScores::kMostAtOnce;
  contract.state_version = 2;
  return contract;
}

absl::Status EpisodeSegmenter::Open(graph::OpenContext& context) {
  WEFT_ASSIGN(const cache::LeafOptions options, LeafOptionsOf(context));
  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  boundaries_.emplace(options, *exec);
  return absl::OkStatus();
}

absl::Status EpisodeSegmenter::Process(graph::ProcessContext& context) {
  auto segmented = std::make_shared<SegmentedSnapshots>();
  segmented->snapshots = context.packet().Share<SnapshotBatch>();
  segmented->begin = context.begin();
  segmented->end = context.end();
  boundaries_->Push(segmented->snapshots->PairsOf(context.begin(), context.end()),
                    segmented->decided);
  context.Emit<SegmentedSnapshots>(kSegmented, std::move(segmented));
  return absl::OkStatus();
}

absl::Status EpisodeSegmenter::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("boundaries", *boundaries_, sink);
}

absl::Status EpisodeSegmenter::Load(graph::CheckpointSource& source) {
  return graph::LoadState("boundaries", *boundaries_, source);
}

}  // namespace weft::operators::hierarchy
