// The flags of commands that cut a file into a hierarchy of episodes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cache/leaf_boundaries.h"
#include "deploy/weft/command_line.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::deploy {

struct SnapshotFlags {
  std::string width = "1s";
  std::int32_t window = 16;
  double threshold = 4.0;
  double quantile = 0.0;
};

// --snapshot, --window, --threshold and --quantile.
void AddSnapshotFlags(Command command, SnapshotFlags& flags);

// INVALID_ARGUMENT for a wrong flag.
absl::StatusOr<operators::hierarchy::SnapshotOptions> SnapshotOptionsFrom(
    const SnapshotFlags& flags);
cache::LeafOptions LeafOptionsFrom(const SnapshotFlags& flags);

// A duration from 1us to a year, as 500ms, 1s or 24h. INVALID_ARGUMENT that names the flag.
absl::StatusOr<std::int64_t> DurationFlag(const std::string& name, const std::string& text);

}  // namespace weft::deploy
