#include "rpc/read_sequence.h"

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/position.h"

namespace weft::rpc {

using graph::Concat;
using operators::sequence::SequenceReader;

absl::StatusOr<std::string> SequenceNode(const GraphHost& host, const std::string& name) {
  WEFT_TRY(host.CheckServing());
  if (!name.empty()) return name;
  if (host.sequence_nodes().empty())
    return absl::FailedPreconditionError(
        "the graph follows no series; a node with the operator sequence_model does "
        "(deploy/graphs/sequence.pbtxt)");
  return host.sequence_nodes().front();
}

absl::Status ReadSequence(GraphHost& host, const CallContext& context, const std::string& node,
                          v1::SequenceState& state,
                          const std::function<absl::Status(const SequenceReader&)>& read) {
  bool reads = false;
  absl::Status answer;
  const absl::Status status = host.graph().Read(
      node, context.left_us(), [&](const graph::Operator& candidate, graph::LogPosition applied) {
        const auto* const reader = dynamic_cast<const SequenceReader*>(&candidate);
        if (reader == nullptr) return;
        reads = true;
        answer = read(*reader);
        *state.mutable_position() = EncodePosition(applied);
      });
  if (absl::IsNotFound(status))
    return WithReason(status, v1::ERROR_REASON_UNKNOWN_NODE, {{"node", node}});
  WEFT_TRY(status);
  if (!reads)
    return InvalidField("node", Concat("\"", node, "\" follows no series; these do: ",
                                       graph::JoinNames(host.sequence_nodes(), ", ", "none")));
  state.set_node(node);
  return answer;
}

absl::Status UnknownSeries(const std::string& node, std::string_view series) {
  return WithReason(
      absl::NotFoundError(Concat("\"", node, "\" follows no series \"", series, "\" now")),
      v1::ERROR_REASON_UNKNOWN_SERIES, {{"node", node}, {"series", std::string(series)}});
}

}  // namespace weft::rpc
