#include "rpc/read_predictor.h"

#include <string>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/position.h"

namespace weft::rpc {

using graph::Concat;
using graph::LogPosition;
using operators::link::LinkChoice;
using operators::link::LinkQuestion;
using operators::link::LinkReader;

absl::StatusOr<LinkChoice> ChoosePredictor(PredictorChoice& choice, const CallContext& context,
                                           std::string_view node, LinkQuestion question) {
  if (node.empty()) return choice.Choose(question, context.left_us());
  return LinkChoice{.learned = "", .answering = std::string(node), .reason = ""};
}

absl::Status ReadPredictor(GraphHost& host, const CallContext& context, const LinkChoice& chosen,
                           v1::ScoringModel& model, v1::LogPosition& position,
                           const std::function<void(const LinkReader&)>& read) {
  const std::string& name = chosen.answering;
  bool reads = false;
  const absl::Status status = host.graph().Read(
      name, context.left_us(), [&](const graph::Operator& candidate, LogPosition applied) {
        const auto* const reader = dynamic_cast<const LinkReader*>(&candidate);
        if (reader == nullptr) return;
        reads = true;
        read(*reader);
        model.set_name(reader->model_name());
        model.set_version(reader->model_version());
        position = EncodePosition(applied);
      });
  if (absl::IsNotFound(status)) {
    return WithReason(status, v1::ERROR_REASON_UNKNOWN_NODE, {{"node", name}});
  }
  WEFT_TRY(status);
  if (!reads) {
    return InvalidField("node", Concat("\"", name, "\" does not predict links; these do: ",
                                       graph::JoinNames(host.link_nodes(), ", ", "none")));
  }
  model.set_node(name);
  model.set_fallback(!chosen.reason.empty());
  model.set_reason(chosen.reason);
  return absl::OkStatus();
}

}  // namespace weft::rpc
