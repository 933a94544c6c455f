#include "rpc/services.h"

#include "rpc/ingest_stream.h"

namespace weft::rpc {

grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* IngestGrpcService::Ingest(
    grpc::CallbackServerContext*) {
  return StartIngestStream(environment_);
}

}  // namespace weft::rpc
