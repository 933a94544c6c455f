// Reading one's own writes.
#pragma once

#include "absl/status/status.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/position.pb.h"

namespace weft::rpc {

// Waits for the position that a request asks for. INVALID_ARGUMENT for a foreign one, OUT_OF_RANGE
// for one that the log does not reach, DEADLINE_EXCEEDED if it takes too long.
absl::Status WaitForPosition(GraphHost& host, const CallContext& context,
                             const v1::LogPosition& position);

}  // namespace weft::rpc
