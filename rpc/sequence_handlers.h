// The unary methods of SequenceService, as handlers of the dispatcher.
#pragma once

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterSequenceHandlers(GraphHost* host, Dispatcher& dispatcher);
// Of these, Push.
void RegisterPushHandler(GraphHost* host, Dispatcher& dispatcher);

}  // namespace weft::rpc
