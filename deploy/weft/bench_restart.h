// The restart part of `weft bench link_predict`.
#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "deploy/weft/bench.h"

namespace weft::deploy {

// Lets a service learn from flags.restart_events events and more, kills it just before it would cut
// a checkpoint, which is when a restart has the most to replay, and measures the restart.
absl::StatusOr<nlohmann::ordered_json> MeasureRestart(const BenchFlags& flags);

}  // namespace weft::deploy
