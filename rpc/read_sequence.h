// What every question about series begins with: which node, as of when, and reading it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/sequence/sequence_reader.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/sequence.pb.h"

namespace weft::rpc {

// The node that is meant: the first that follows series for an empty name. FAILED_PRECONDITION if
// the graph has none.
absl::StatusOr<std::string> SequenceNode(const GraphHost& host, const std::string& name);

// Runs `read` in the operator's own slot: it must be short. Fills `state`. Fails with what `read`
// does; NOT_FOUND for an unknown node, INVALID_ARGUMENT for one that follows no series.
absl::Status ReadSequence(
    GraphHost& host, const CallContext& context, const std::string& node, v1::SequenceState& state,
    const std::function<absl::Status(const operators::sequence::SequenceReader&)>& read);

// NOT_FOUND, with the reason UNKNOWN_SERIES.
absl::Status UnknownSeries(const std::string& node, std::string_view series);

}  // namespace weft::rpc
