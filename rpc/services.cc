#include "rpc/services.h"

#include "rpc/ingest_stream.h"
#include "rpc/prediction_stream.h"
#include "rpc/unary_call.h"

namespace weft::rpc {

grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* IngestGrpcService::Ingest(
    grpc::CallbackServerContext*) {
  return StartIngestStream(environment_);
}

grpc::ServerWriteReactor<v1::SubscribePredictionsResponse>* LinkGrpcService::SubscribePredictions(
    grpc::CallbackServerContext* context, const v1::SubscribePredictionsRequest* request) {
  return StartPredictionStream(environment_, *context, *request);
}

grpc::ServerUnaryReactor* IngestGrpcService::IngestBatch(grpc::CallbackServerContext* context,
                                                         const v1::IngestBatchRequest* request,
                                                         v1::IngestBatchResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.IngestService/IngestBatch", context, request, response);
}

grpc::ServerUnaryReactor* LinkGrpcService::ScoreLinks(grpc::CallbackServerContext* context,
                                                      const v1::ScoreLinksRequest* request,
                                                      v1::ScoreLinksResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.LinkService/ScoreLinks", context, request, response);
}

grpc::ServerUnaryReactor* LinkGrpcService::RankTargets(grpc::CallbackServerContext* context,
                                                       const v1::RankTargetsRequest* request,
                                                       v1::RankTargetsResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.LinkService/RankTargets", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::GetServerInfo(grpc::CallbackServerContext* context,
                                                          const v1::GetServerInfoRequest* request,
                                                          v1::GetServerInfoResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/GetServerInfo", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::GetGraph(grpc::CallbackServerContext* context,
                                                     const v1::GetGraphRequest* request,
                                                     v1::GetGraphResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock, "/weft.v1.AdminService/GetGraph",
                    context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::Checkpoint(grpc::CallbackServerContext* context,
                                                       const v1::CheckpointRequest* request,
                                                       v1::CheckpointResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/Checkpoint", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::Drain(grpc::CallbackServerContext* context,
                                                  const v1::DrainRequest* request,
                                                  v1::DrainResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock, "/weft.v1.AdminService/Drain",
                    context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::GetStateHash(grpc::CallbackServerContext* context,
                                                         const v1::GetStateHashRequest* request,
                                                         v1::GetStateHashResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/GetStateHash", context, request, response);
}

}  // namespace weft::rpc
