// The gRPC services. Methods go to the dispatcher, but for the stream of events, which has its
// reactor in ingest_stream.h. All that the services are given outlives them.
#pragma once

#include <grpcpp/grpcpp.h>

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/grpc_stream.h"
#include "rpc/message_arena.h"
#include "rpc/unary_call.h"
#include "weft/v1/admin.grpc.pb.h"
#include "weft/v1/hierarchy.grpc.pb.h"
#include "weft/v1/ingest.grpc.pb.h"
#include "weft/v1/link.grpc.pb.h"
#include "weft/v1/sequence.grpc.pb.h"

namespace weft::rpc {

struct ServiceEnvironment {
  GraphHost* host = nullptr;
  Dispatcher* dispatcher = nullptr;
  const graph::Clock* clock = nullptr;
  std::int64_t max_message_bytes = 0;
};

// Methods of a class that has `environment_`, as gRPC declares them.
#define WEFT_UNARY_METHOD(service, method)                                           \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context,             \
                                   const v1::method##Request* request,               \
                                   v1::method##Response* response) override {        \
    return ServeUnary(*environment_.dispatcher, *environment_.clock,                 \
                      "/weft.v1." #service "/" #method, context, request, response); \
  }
#define WEFT_STREAM_METHOD(service, method)                                                \
  grpc::ServerWriteReactor<v1::method##Response>* method(                                  \
      grpc::CallbackServerContext* context, const v1::method##Request* request) override { \
    return StartGrpcStream<v1::method##Response>(                                          \
        *environment_.dispatcher, "/weft.v1." #service "/" #method, context, request);     \
  }

class IngestGrpcService final : public v1::IngestService::CallbackService {
 public:
  explicit IngestGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* Ingest(
      grpc::CallbackServerContext* context) override;
  WEFT_UNARY_METHOD(IngestService, IngestBatch)

 private:
  const ServiceEnvironment environment_;
};

class LinkGrpcService final : public v1::LinkService::CallbackService {
 public:
  explicit LinkGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  WEFT_UNARY_METHOD(LinkService, ScoreLinks)
  WEFT_UNARY_METHOD(LinkService, RankTargets)
  WEFT_UNARY_METHOD(LinkService, GetEvaluation)
  WEFT_UNARY_METHOD(LinkService, ExplainLinks)
  WEFT_UNARY_METHOD(LinkService, GetHistory)
  WEFT_STREAM_METHOD(LinkService, SubscribePredictions)

 private:
  const ServiceEnvironment environment_;
};

class HierarchyGrpcService final : public v1::HierarchyService::CallbackService {
 public:
  explicit HierarchyGrpcService(const ServiceEnvironment& environment) : environment_(environment) {
    SetMessageAllocatorFor_Timeline(&timeline_messages_);
  }

  WEFT_UNARY_METHOD(HierarchyService, Timeline)
  WEFT_UNARY_METHOD(HierarchyService, GetEpisode)
  WEFT_UNARY_METHOD(HierarchyService, Ancestors)
  WEFT_UNARY_METHOD(HierarchyService, Descendants)
  WEFT_UNARY_METHOD(HierarchyService, At)
  WEFT_UNARY_METHOD(HierarchyService, Overlaps)
  WEFT_UNARY_METHOD(HierarchyService, TopSalient)
  WEFT_UNARY_METHOD(HierarchyService, Boundaries)
  WEFT_UNARY_METHOD(HierarchyService, FollowEntity)
  WEFT_UNARY_METHOD(HierarchyService, Compare)
  WEFT_UNARY_METHOD(HierarchyService, Similar)
  WEFT_UNARY_METHOD(HierarchyService, PredictNext)
  WEFT_UNARY_METHOD(HierarchyService, Subgraph)
  WEFT_STREAM_METHOD(HierarchyService, Subscribe)
  WEFT_STREAM_METHOD(HierarchyService, SubscribeForecasts)
  WEFT_UNARY_METHOD(HierarchyService, Stats)

 private:
  ArenaAllocator<v1::TimelineRequest, v1::TimelineResponse> timeline_messages_;
  const ServiceEnvironment environment_;
};

class SequenceGrpcService final : public v1::SequenceService::CallbackService {
 public:
  explicit SequenceGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  WEFT_UNARY_METHOD(SequenceService, CreateModel)
  WEFT_UNARY_METHOD(SequenceService, Push)
  WEFT_UNARY_METHOD(SequenceService, Predict)
  WEFT_UNARY_METHOD(SequenceService, Explain)
  WEFT_UNARY_METHOD(SequenceService, Reset)
  WEFT_UNARY_METHOD(SequenceService, ListSeries)
  WEFT_STREAM_METHOD(SequenceService, SubscribeAlarms)

 private:
  const ServiceEnvironment environment_;
};

class AdminGrpcService final : public v1::AdminService::CallbackService {
 public:
  explicit AdminGrpcService(const ServiceEnvironment& environment) : environment_(environment) {}

  WEFT_UNARY_METHOD(AdminService, GetServerInfo)
  WEFT_UNARY_METHOD(AdminService, GetGraph)
  WEFT_UNARY_METHOD(AdminService, Checkpoint)
  WEFT_UNARY_METHOD(AdminService, Drain)
  WEFT_UNARY_METHOD(AdminService, GetStateHash)
  WEFT_UNARY_METHOD(AdminService, ListModelVersions)
  WEFT_UNARY_METHOD(AdminService, ExportModelVersion)
  WEFT_UNARY_METHOD(AdminService, KeepModelVersion)
  WEFT_UNARY_METHOD(AdminService, ImportModelVersion)
  WEFT_UNARY_METHOD(AdminService, PromoteModelVersion)
  WEFT_UNARY_METHOD(AdminService, RollBackModel)
  WEFT_UNARY_METHOD(AdminService, DropModelVersion)

 private:
  const ServiceEnvironment environment_;
};

#undef WEFT_UNARY_METHOD
#undef WEFT_STREAM_METHOD

}  // namespace weft::rpc
