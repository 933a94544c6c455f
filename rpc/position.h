// LogPosition to and from the opaque message that clients see.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "graph/log_record.h"
#include "weft/v1/position.pb.h"

namespace weft::rpc {

v1::LogPosition EncodePosition(graph::LogPosition position);
// INVALID_ARGUMENT for a token that no server made.
absl::StatusOr<graph::LogPosition> DecodePosition(const v1::LogPosition& position);

}  // namespace weft::rpc
