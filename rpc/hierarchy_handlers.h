// The unary methods of HierarchyService, as handlers of the dispatcher.
#pragma once

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterHierarchyHandlers(GraphHost* host, Dispatcher& dispatcher);

// Of these, those that are about the mixes of pairs: Compare, Similar and PredictNext.
void RegisterMixHandlers(GraphHost* host, Dispatcher& dispatcher);
// TopSalient and Descendants, which may be by what was learned.
void RegisterSalienceHandlers(GraphHost* host, Dispatcher& dispatcher);
// FollowEntity and Subgraph.
void RegisterEntityHandlers(GraphHost* host, Dispatcher& dispatcher);

}  // namespace weft::rpc
