// LinkService.GetHistory: the events that a node had, from storage::History.
#pragma once

#include "absl/status/statusor.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/link.pb.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterHistoryHandlers(GraphHost* host, Dispatcher& dispatcher);

// The host's history; FAILED_PRECONDITION where it is switched off.
absl::StatusOr<const storage::History*> FindHistory(const GraphHost& host);

absl::StatusOr<v1::GetHistoryResponse> GetHistory(GraphHost& host,
                                                  const v1::GetHistoryRequest& request);

}  // namespace weft::rpc
