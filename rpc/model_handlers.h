// The methods of AdminService about versions of models. What they change goes through the log
// (GraphHost::SendCommand) to the operator, whose LinkReader tells what became of it.
#pragma once

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterModelHandlers(GraphHost* host, Dispatcher& dispatcher);

}  // namespace weft::rpc
