// What every question to a link predictor begins with: who answers, and reading from it.
#pragma once

#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/predictor_choice.h"
#include "weft/v1/link.pb.h"

namespace weft::rpc {

// Who answers: the predictor that the request names, or else the one that is best.
absl::StatusOr<operators::link::LinkChoice> ChoosePredictor(PredictorChoice& choice,
                                                            const CallContext& context,
                                                            std::string_view node,
                                                            operators::link::LinkQuestion question);

// Runs `read` on the link predictor that was chosen, and tells what it was and the place of the log
// that it has applied. NOT_FOUND for an unknown node, INVALID_ARGUMENT for one that does not
// predict links.
absl::Status ReadPredictor(GraphHost& host, const CallContext& context,
                           const operators::link::LinkChoice& chosen, v1::ScoringModel& model,
                           v1::LogPosition& position,
                           const std::function<void(const operators::link::LinkReader&)>& read);

}  // namespace weft::rpc
