// LinkService.ExplainLinks.
#pragma once

#include <memory>

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/predictor_choice.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterExplanationHandlers(GraphHost* host, std::shared_ptr<PredictorChoice> choice,
                                 Dispatcher& dispatcher);

}  // namespace weft::rpc
