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

grpc::ServerUnaryReactor* LinkGrpcService::GetEvaluation(grpc::CallbackServerContext* context,
                                                         const v1::GetEvaluationRequest* request,
                                                         v1::GetEvaluationResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.LinkService/GetEvaluation", context, request, response);
}

grpc::ServerUnaryReactor* LinkGrpcService::ExplainLinks(grpc::CallbackServerContext* context,
                                                        const v1::ExplainLinksRequest* request,
                                                        v1::ExplainLinksResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.LinkService/ExplainLinks", context, request, response);
}

grpc::ServerUnaryReactor* LinkGrpcService::GetHistory(grpc::CallbackServerContext* context,
                                                      const v1::GetHistoryRequest* request,
                                                      v1::GetHistoryResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.LinkService/GetHistory", context, request, response);
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

grpc::ServerUnaryReactor* AdminGrpcService::ListModelVersions(
    grpc::CallbackServerContext* context, const v1::ListModelVersionsRequest* request,
    v1::ListModelVersionsResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/ListModelVersions", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::ExportModelVersion(
    grpc::CallbackServerContext* context, const v1::ExportModelVersionRequest* request,
    v1::ExportModelVersionResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/ExportModelVersion", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::KeepModelVersion(
    grpc::CallbackServerContext* context, const v1::KeepModelVersionRequest* request,
    v1::KeepModelVersionResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/KeepModelVersion", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::ImportModelVersion(
    grpc::CallbackServerContext* context, const v1::ImportModelVersionRequest* request,
    v1::ImportModelVersionResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/ImportModelVersion", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::PromoteModelVersion(
    grpc::CallbackServerContext* context, const v1::PromoteModelVersionRequest* request,
    v1::PromoteModelVersionResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/PromoteModelVersion", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::RollBackModel(grpc::CallbackServerContext* context,
                                                          const v1::RollBackModelRequest* request,
                                                          v1::RollBackModelResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/RollBackModel", context, request, response);
}

grpc::ServerUnaryReactor* AdminGrpcService::DropModelVersion(
    grpc::CallbackServerContext* context, const v1::DropModelVersionRequest* request,
    v1::DropModelVersionResponse* response) {
  return ServeUnary(*environment_.dispatcher, *environment_.clock,
                    "/weft.v1.AdminService/DropModelVersion", context, request, response);
}

}  // namespace weft::rpc
