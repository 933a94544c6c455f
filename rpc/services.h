// The gRPC services. Unary methods go to the dispatcher; streams have their reactors in
// ingest_stream.h and prediction_stream.h. All that the services are given outlives them.
#pragma once

#include <grpcpp/grpcpp.h>

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/prediction_hub.h"
#include "weft/v1/admin.grpc.pb.h"
#include "weft/v1/ingest.grpc.pb.h"
#include "weft/v1/link.grpc.pb.h"

namespace weft::rpc {

struct ServiceEnvironment {
  GraphHost* host = nullptr;
  Dispatcher* dispatcher = nullptr;
  PredictionHub* predictions = nullptr;
  const graph::Clock* clock = nullptr;
  std::int64_t max_message_bytes = 0;
};

class IngestGrpcService final : public v1::IngestService::CallbackService {
 public:
  explicit IngestGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* Ingest(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* IngestBatch(grpc::CallbackServerContext* context,
                                        const v1::IngestBatchRequest* request,
                                        v1::IngestBatchResponse* response) override;

 private:
  const ServiceEnvironment environment_;
};

class LinkGrpcService final : public v1::LinkService::CallbackService {
 public:
  explicit LinkGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* ScoreLinks(grpc::CallbackServerContext* context,
                                       const v1::ScoreLinksRequest* request,
                                       v1::ScoreLinksResponse* response) override;
  grpc::ServerUnaryReactor* RankTargets(grpc::CallbackServerContext* context,
                                        const v1::RankTargetsRequest* request,
                                        v1::RankTargetsResponse* response) override;
  grpc::ServerUnaryReactor* GetEvaluation(grpc::CallbackServerContext* context,
                                          const v1::GetEvaluationRequest* request,
                                          v1::GetEvaluationResponse* response) override;
  grpc::ServerUnaryReactor* ExplainLinks(grpc::CallbackServerContext* context,
                                         const v1::ExplainLinksRequest* request,
                                         v1::ExplainLinksResponse* response) override;
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const v1::GetHistoryRequest* request,
                                       v1::GetHistoryResponse* response) override;
  grpc::ServerWriteReactor<v1::SubscribePredictionsResponse>* SubscribePredictions(
      grpc::CallbackServerContext* context,
      const v1::SubscribePredictionsRequest* request) override;

 private:
  const ServiceEnvironment environment_;
};

class AdminGrpcService final : public v1::AdminService::CallbackService {
 public:
  explicit AdminGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* request,
                                          v1::GetServerInfoResponse* response) override;
  grpc::ServerUnaryReactor* GetGraph(grpc::CallbackServerContext* context,
                                     const v1::GetGraphRequest* request,
                                     v1::GetGraphResponse* response) override;
  grpc::ServerUnaryReactor* Checkpoint(grpc::CallbackServerContext* context,
                                       const v1::CheckpointRequest* request,
                                       v1::CheckpointResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;
  grpc::ServerUnaryReactor* GetStateHash(grpc::CallbackServerContext* context,
                                         const v1::GetStateHashRequest* request,
                                         v1::GetStateHashResponse* response) override;
  grpc::ServerUnaryReactor* ListModelVersions(grpc::CallbackServerContext* context,
                                              const v1::ListModelVersionsRequest* request,
                                              v1::ListModelVersionsResponse* response) override;
  grpc::ServerUnaryReactor* ExportModelVersion(grpc::CallbackServerContext* context,
                                               const v1::ExportModelVersionRequest* request,
                                               v1::ExportModelVersionResponse* response) override;
  grpc::ServerUnaryReactor* KeepModelVersion(grpc::CallbackServerContext* context,
                                             const v1::KeepModelVersionRequest* request,
                                             v1::KeepModelVersionResponse* response) override;
  grpc::ServerUnaryReactor* ImportModelVersion(grpc::CallbackServerContext* context,
                                               const v1::ImportModelVersionRequest* request,
                                               v1::ImportModelVersionResponse* response) override;
  grpc::ServerUnaryReactor* PromoteModelVersion(grpc::CallbackServerContext* context,
                                                const v1::PromoteModelVersionRequest* request,
                                                v1::PromoteModelVersionResponse* response) override;
  grpc::ServerUnaryReactor* RollBackModel(grpc::CallbackServerContext* context,
                                          const v1::RollBackModelRequest* request,
                                          v1::RollBackModelResponse* response) override;
  grpc::ServerUnaryReactor* DropModelVersion(grpc::CallbackServerContext* context,
                                             const v1::DropModelVersionRequest* request,
                                             v1::DropModelVersionResponse* response) override;

 private:
  const ServiceEnvironment environment_;
};

}  // namespace weft::rpc
