#include "rpc/predictor_choice.h"

#include <utility>

#include "graph/check.h"
#include "rpc/logging.h"

namespace weft::rpc {

using operators::link::LinkChoice;
using operators::link::LinkEvaluationReader;
using operators::link::LinkQuestion;

absl::StatusOr<LinkChoice> PredictorChoice::Choose(LinkQuestion question, std::int64_t left_us) {
  const std::string& learned = host_.first_link_node();
  if (learned.empty()) return absl::FailedPreconditionError("the graph has no link predictor");
  LinkChoice choice = {.learned = learned, .answering = learned, .reason = ""};
  for (const std::string& node : host_.evaluation_nodes()) {
    LinkChoice said;
    WEFT_TRY(host_.graph().Read(
        node, left_us, [&](const graph::Operator& evaluation, graph::LogPosition) {
          said = dynamic_cast<const LinkEvaluationReader&>(evaluation).choice(question);
        }));
    if (said.learned != learned) continue;
    choice = std::move(said);
    break;
  }
  LogChange(question, choice);
  return choice;
}

void PredictorChoice::LogChange(LinkQuestion question, const LinkChoice& choice) {
  const std::scoped_lock lock(mutex_);
  const bool pairs = question == LinkQuestion::kPairs;
  std::string& last = pairs ? pairs_by_ : targets_by_;
  if (last.empty()) last = choice.learned;
  if (last == choice.answering) return;
  last = choice.answering;
  Log(LogLevel::kInfo, "another model answers",
      {{"question", pairs ? "pairs" : "targets"},
       {"node", choice.answering},
       {"reason", choice.reason.empty() ? "it is ahead again" : choice.reason}});
}

}  // namespace weft::rpc
