#include "deploy/weft/snapshot_flags.h"

#include "absl/time/time.h"
#include "graph/check.h"
#include "graph/text.h"

namespace weft::deploy {

void AddSnapshotFlags(Command command, SnapshotFlags& flags) {
  command.AddOption("--snapshot", flags.width, "How much time a snapshot spans (1s)");
  command.AddOption("--window", flags.window, "Snapshots compared on each side (16)")
      .Between(2, 1024);
  command
      .AddOption("--threshold", flags.threshold,
                 "Standard deviations above chance that a boundary needs (4)")
      .Between(-100.0, 1e6);
  command
      .AddOption("--quantile", flags.quantile,
                 "Instead, the share of scores below the threshold: for counts that hang together "
                 "over time")
      .Between(0.0, 0.999);
}

absl::StatusOr<std::int64_t> DurationFlag(const std::string& name, const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::Microseconds(1) ||
      duration > absl::Hours(24 * 366))
    return absl::InvalidArgumentError(graph::Concat(
        name, ": expected a duration from 1us to a year as 500ms, 1s or 24h, got ", text));
  return absl::ToInt64Microseconds(duration);
}

absl::StatusOr<operators::hierarchy::SnapshotOptions> SnapshotOptionsFrom(
    const SnapshotFlags& flags) {
  operators::hierarchy::SnapshotOptions options;
  WEFT_ASSIGN(options.width_us, DurationFlag("--snapshot", flags.width));
  options.most_empty = 4 * std::int64_t{flags.window};
  return options;
}

cache::LeafOptions LeafOptionsFrom(const SnapshotFlags& flags) {
  cache::LeafOptions options;
  options.window = flags.window;
  options.threshold =
      static_cast<std::int64_t>(flags.threshold * static_cast<double>(cache::kLikelihoodOne));
  options.threshold_quantile = static_cast<float>(flags.quantile);
  return options;
}

}  // namespace weft::deploy
