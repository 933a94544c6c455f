// The unary method of IngestService.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterIngestHandlers(GraphHost* host, Dispatcher& dispatcher);

absl::StatusOr<v1::IngestBatchResponse> IngestBatch(GraphHost& host, const CallContext& context,
                                                    const v1::IngestBatchRequest& request);

void AddRejects(const std::vector<graph::Reject>& rejects,
                google::protobuf::RepeatedPtrField<v1::EventReject>& messages);

}  // namespace weft::rpc
