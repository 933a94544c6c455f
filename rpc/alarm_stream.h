// SequenceService.SubscribeAlarms.
#pragma once

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/output_hub.h"

namespace weft::rpc {

// `host` and `hub` outlive what is registered.
void RegisterAlarmStream(GraphHost* host, OutputHub* hub, Dispatcher& dispatcher);

}  // namespace weft::rpc
