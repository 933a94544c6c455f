// The server's side of one Ingest stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include "rpc/services.h"

namespace weft::rpc {

// Deletes itself when the call is over.
grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* StartIngestStream(
    const ServiceEnvironment& environment);

}  // namespace weft::rpc
