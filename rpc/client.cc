#include "rpc/client.h"

#include <chrono>

#include <grpcpp/grpcpp.h>

#include "graph/check.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/grpc_status.h"
#include "rpc/stream_metadata.h"
#include "weft/v1/admin.grpc.pb.h"
#include "weft/v1/hierarchy.grpc.pb.h"
#include "weft/v1/link.grpc.pb.h"
#include "weft/v1/sequence.grpc.pb.h"

namespace weft::rpc {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::system_clock;

system_clock::time_point After(double seconds) {
  return system_clock::now() +
         std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(seconds));
}

template <class Response, class Stub, class Request>
absl::StatusOr<Response> Call(double deadline_seconds, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(After(deadline_seconds));
  Response response;
  WEFT_TRY(FromGrpcStatus((stub.*method)(&context, request, &response)));
  return response;
}

// Calls `receive` with each message of the stream that `open` begins, until it returns false.
template <class Response, class Open>
absl::Status Receive(Open open, const std::function<bool(const Response&)>& receive,
                     const std::function<void()>& subscribed) {
  grpc::ClientContext context;
  const auto reader = open(&context);
  reader->WaitForInitialMetadata();
  if (subscribed && context.GetServerInitialMetadata().contains(kSubscribedKey)) subscribed();
  Response response;
  while (reader->Read(&response)) {
    if (receive(response)) continue;
    context.TryCancel();
    reader->Finish();
    return absl::OkStatus();
  }
  return FromGrpcStatus(reader->Finish());
}

class GrpcLinkClient final : public LinkClient {
 public:
  GrpcLinkClient(const std::string& address, double deadline_seconds)
      : stub_(MakeChannel(address)), deadline_seconds_(deadline_seconds) {}

  absl::StatusOr<v1::ScoreLinksResponse> ScoreLinks(const v1::ScoreLinksRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::LinkService::Stub::ScoreLinks, request);
  }
  absl::StatusOr<v1::RankTargetsResponse> RankTargets(
      const v1::RankTargetsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::LinkService::Stub::RankTargets, request);
  }
  absl::StatusOr<v1::GetEvaluationResponse> GetEvaluation(
      const v1::GetEvaluationRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::LinkService::Stub::GetEvaluation, request);
  }
  absl::StatusOr<v1::ExplainLinksResponse> ExplainLinks(
      const v1::ExplainLinksRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::LinkService::Stub::ExplainLinks, request);
  }
  absl::StatusOr<v1::GetHistoryResponse> GetHistory(const v1::GetHistoryRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::LinkService::Stub::GetHistory, request);
  }
  absl::Status SubscribePredictions(
      const v1::SubscribePredictionsRequest& request,
      const std::function<bool(const v1::SubscribePredictionsResponse&)>& receive,
      const std::function<void()>& subscribed) override {
    return Receive<v1::SubscribePredictionsResponse>(
        [&](grpc::ClientContext* context) { return stub_.SubscribePredictions(context, request); },
        receive, subscribed);
  }

 private:
  v1::LinkService::Stub stub_;
  const double deadline_seconds_;
};

class GrpcHierarchyClient final : public HierarchyClient {
 public:
  GrpcHierarchyClient(const std::string& address, double deadline_seconds)
      : stub_(MakeChannel(address)), deadline_seconds_(deadline_seconds) {}

  absl::StatusOr<v1::TimelineResponse> Timeline(const v1::TimelineRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Timeline, request);
  }
  absl::StatusOr<v1::GetEpisodeResponse> GetEpisode(const v1::GetEpisodeRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::GetEpisode, request);
  }
  absl::StatusOr<v1::AncestorsResponse> Ancestors(const v1::AncestorsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Ancestors, request);
  }
  absl::StatusOr<v1::DescendantsResponse> Descendants(
      const v1::DescendantsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Descendants, request);
  }
  absl::StatusOr<v1::AtResponse> At(const v1::AtRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::At, request);
  }
  absl::StatusOr<v1::OverlapsResponse> Overlaps(const v1::OverlapsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Overlaps, request);
  }
  absl::StatusOr<v1::TopSalientResponse> TopSalient(const v1::TopSalientRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::TopSalient, request);
  }
  absl::StatusOr<v1::BoundariesResponse> Boundaries(const v1::BoundariesRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Boundaries, request);
  }
  absl::StatusOr<v1::FollowEntityResponse> FollowEntity(
      const v1::FollowEntityRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::FollowEntity, request);
  }
  absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Compare, request);
  }
  absl::StatusOr<v1::SimilarResponse> Similar(const v1::SimilarRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Similar, request);
  }
  absl::StatusOr<v1::PredictNextResponse> PredictNext(
      const v1::PredictNextRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::PredictNext, request);
  }
  absl::StatusOr<v1::SubgraphResponse> Subgraph(const v1::SubgraphRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Subgraph, request);
  }
  absl::StatusOr<v1::StatsResponse> Stats(const v1::StatsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::HierarchyService::Stub::Stats, request);
  }
  absl::Status Subscribe(const v1::SubscribeRequest& request,
                         const std::function<bool(const v1::SubscribeResponse&)>& receive,
                         const std::function<void()>& subscribed) override {
    return Receive<v1::SubscribeResponse>(
        [&](grpc::ClientContext* context) { return stub_.Subscribe(context, request); }, receive,
        subscribed);
  }
  absl::Status SubscribeForecasts(
      const v1::SubscribeForecastsRequest& request,
      const std::function<bool(const v1::SubscribeForecastsResponse&)>& receive,
      const std::function<void()>& subscribed) override {
    return Receive<v1::SubscribeForecastsResponse>(
        [&](grpc::ClientContext* context) { return stub_.SubscribeForecasts(context, request); },
        receive, subscribed);
  }

 private:
  v1::HierarchyService::Stub stub_;
  const double deadline_seconds_;
};

class GrpcSequenceClient final : public SequenceClient {
 public:
  GrpcSequenceClient(const std::string& address, double deadline_seconds)
      : stub_(MakeChannel(address)), deadline_seconds_(deadline_seconds) {}

  absl::StatusOr<v1::CreateModelResponse> CreateModel(
      const v1::CreateModelRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::CreateModel, request);
  }
  absl::StatusOr<v1::PushResponse> Push(const v1::PushRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::Push, request);
  }
  absl::StatusOr<v1::PredictResponse> Predict(const v1::PredictRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::Predict, request);
  }
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::Explain, request);
  }
  absl::StatusOr<v1::ResetResponse> Reset(const v1::ResetRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::Reset, request);
  }
  absl::StatusOr<v1::ListSeriesResponse> ListSeries(const v1::ListSeriesRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::SequenceService::Stub::ListSeries, request);
  }
  absl::Status SubscribeAlarms(
      const v1::SubscribeAlarmsRequest& request,
      const std::function<bool(const v1::SubscribeAlarmsResponse&)>& receive,
      const std::function<void()>& subscribed) override {
    return Receive<v1::SubscribeAlarmsResponse>(
        [&](grpc::ClientContext* context) { return stub_.SubscribeAlarms(context, request); },
        receive, subscribed);
  }

 private:
  v1::SequenceService::Stub stub_;
  const double deadline_seconds_;
};

class GrpcAdminClient final : public AdminClient {
 public:
  GrpcAdminClient(const std::string& address, double deadline_seconds)
      : channel_(MakeChannel(address)),
        stub_(channel_),
        health_(channel_),
        deadline_seconds_(deadline_seconds) {}

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo() override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::GetServerInfo,
                v1::GetServerInfoRequest());
  }
  absl::StatusOr<v1::GetGraphResponse> GetGraph() override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::GetGraph, v1::GetGraphRequest());
  }
  absl::StatusOr<v1::CheckpointResponse> Checkpoint() override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::Checkpoint,
                v1::CheckpointRequest());
  }
  absl::StatusOr<v1::GetStateHashResponse> GetStateHash() override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::GetStateHash,
                v1::GetStateHashRequest());
  }
  absl::Status Drain() override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::Drain, v1::DrainRequest())
        .status();
  }
  absl::StatusOr<v1::ListModelVersionsResponse> ListModelVersions(
      const v1::ListModelVersionsRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::ListModelVersions, request);
  }
  absl::StatusOr<v1::ExportModelVersionResponse> ExportModelVersion(
      const v1::ExportModelVersionRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::ExportModelVersion, request);
  }
  absl::StatusOr<v1::KeepModelVersionResponse> KeepModelVersion(
      const v1::KeepModelVersionRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::KeepModelVersion, request);
  }
  absl::StatusOr<v1::ImportModelVersionResponse> ImportModelVersion(
      const v1::ImportModelVersionRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::ImportModelVersion, request);
  }
  absl::StatusOr<v1::PromoteModelVersionResponse> PromoteModelVersion(
      const v1::PromoteModelVersionRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::PromoteModelVersion, request);
  }
  absl::StatusOr<v1::RollBackModelResponse> RollBackModel(
      const v1::RollBackModelRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::RollBackModel, request);
  }
  absl::StatusOr<v1::DropModelVersionResponse> DropModelVersion(
      const v1::DropModelVersionRequest& request) override {
    return Call(deadline_seconds_, stub_, &v1::AdminService::Stub::DropModelVersion, request);
  }
  absl::Status WaitServing(double seconds) override {
    grpc::ClientContext context;
    context.set_deadline(After(seconds));
    context.set_wait_for_ready(true);
    const auto reader = health_.Watch(&context, HealthCheckRequest());
    HealthCheckResponse response;
    while (reader->Read(&response)) {
      if (response.status() != HealthCheckResponse::SERVING) continue;
      context.TryCancel();
      reader->Finish();
      return absl::OkStatus();
    }
    return FromGrpcStatus(reader->Finish());
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  v1::AdminService::Stub stub_;
  Health::Stub health_;
  const double deadline_seconds_;
};

}  // namespace

std::unique_ptr<LinkClient> LinkClient::Open(const std::string& address, double deadline_seconds) {
  return std::make_unique<GrpcLinkClient>(address, deadline_seconds);
}

std::unique_ptr<HierarchyClient> HierarchyClient::Open(const std::string& address,
                                                       double deadline_seconds) {
  return std::make_unique<GrpcHierarchyClient>(address, deadline_seconds);
}

std::unique_ptr<SequenceClient> SequenceClient::Open(const std::string& address,
                                                     double deadline_seconds) {
  return std::make_unique<GrpcSequenceClient>(address, deadline_seconds);
}

std::unique_ptr<AdminClient> AdminClient::Open(const std::string& address,
                                               double deadline_seconds) {
  return std::make_unique<GrpcAdminClient>(address, deadline_seconds);
}

}  // namespace weft::rpc
