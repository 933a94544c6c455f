// LinkClient, HierarchyClient, SequenceClient and AdminClient: the calls of a server, with
// deadlines. For events see ingest_client.h. Thread rule: any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weft/v1/admin.pb.h"
#include "weft/v1/hierarchy.pb.h"
#include "weft/v1/link.pb.h"
#include "weft/v1/sequence.pb.h"

namespace weft::rpc {

// Every call fails with the server's status, UNAVAILABLE if it cannot be reached, DEADLINE_EXCEEDED
// when it takes longer than `deadline_seconds`.
class LinkClient {
 public:
  static std::unique_ptr<LinkClient> Open(const std::string& address,
                                          double deadline_seconds = 5.0);
  virtual ~LinkClient() = default;

  virtual absl::StatusOr<v1::ScoreLinksResponse> ScoreLinks(
      const v1::ScoreLinksRequest& request) = 0;
  virtual absl::StatusOr<v1::RankTargetsResponse> RankTargets(
      const v1::RankTargetsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetEvaluationResponse> GetEvaluation(
      const v1::GetEvaluationRequest& request) = 0;
  virtual absl::StatusOr<v1::ExplainLinksResponse> ExplainLinks(
      const v1::ExplainLinksRequest& request) = 0;
  virtual absl::StatusOr<v1::GetHistoryResponse> GetHistory(
      const v1::GetHistoryRequest& request) = 0;
  // Calls `receive` with each message until it returns false or the stream ends; blocks meanwhile.
  // No deadline. `subscribed` is called once when the server has taken the subscription; may be
  // empty.
  virtual absl::Status SubscribePredictions(
      const v1::SubscribePredictionsRequest& request,
      const std::function<bool(const v1::SubscribePredictionsResponse&)>& receive,
      const std::function<void()>& subscribed) = 0;
};

class HierarchyClient {
 public:
  static std::unique_ptr<HierarchyClient> Open(const std::string& address,
                                               double deadline_seconds = 5.0);
  virtual ~HierarchyClient() = default;

  virtual absl::StatusOr<v1::TimelineResponse> Timeline(const v1::TimelineRequest& request) = 0;
  virtual absl::StatusOr<v1::GetEpisodeResponse> GetEpisode(
      const v1::GetEpisodeRequest& request) = 0;
  virtual absl::StatusOr<v1::AncestorsResponse> Ancestors(const v1::AncestorsRequest& request) = 0;
  virtual absl::StatusOr<v1::DescendantsResponse> Descendants(
      const v1::DescendantsRequest& request) = 0;
  virtual absl::StatusOr<v1::AtResponse> At(const v1::AtRequest& request) = 0;
  virtual absl::StatusOr<v1::OverlapsResponse> Overlaps(const v1::OverlapsRequest& request) = 0;
  virtual absl::StatusOr<v1::TopSalientResponse> TopSalient(
      const v1::TopSalientRequest& request) = 0;
  virtual absl::StatusOr<v1::BoundariesResponse> Boundaries(
      const v1::BoundariesRequest& request) = 0;
  virtual absl::StatusOr<v1::FollowEntityResponse> FollowEntity(
      const v1::FollowEntityRequest& request) = 0;
  virtual absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest& request) = 0;
  virtual absl::StatusOr<v1::SimilarResponse> Similar(const v1::SimilarRequest& request) = 0;
  virtual absl::StatusOr<v1::PredictNextResponse> PredictNext(
      const v1::PredictNextRequest& request) = 0;
  virtual absl::StatusOr<v1::SubgraphResponse> Subgraph(const v1::SubgraphRequest& request) = 0;
  virtual absl::StatusOr<v1::StatsResponse> Stats(const v1::StatsRequest& request) = 0;
  // As LinkClient::SubscribePredictions.
  virtual absl::Status Subscribe(const v1::SubscribeRequest& request,
                                 const std::function<bool(const v1::SubscribeResponse&)>& receive,
                                 const std::function<void()>& subscribed) = 0;
  virtual absl::Status SubscribeForecasts(
      const v1::SubscribeForecastsRequest& request,
      const std::function<bool(const v1::SubscribeForecastsResponse&)>& receive,
      const std::function<void()>& subscribed) = 0;
};

class SequenceClient {
 public:
  static std::unique_ptr<SequenceClient> Open(const std::string& address,
                                              double deadline_seconds = 5.0);
  virtual ~SequenceClient() = default;

  virtual absl::StatusOr<v1::CreateModelResponse> CreateModel(
      const v1::CreateModelRequest& request) = 0;
  virtual absl::StatusOr<v1::PushResponse> Push(const v1::PushRequest& request) = 0;
  virtual absl::StatusOr<v1::PredictResponse> Predict(const v1::PredictRequest& request) = 0;
  virtual absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request) = 0;
  virtual absl::StatusOr<v1::ResetResponse> Reset(const v1::ResetRequest& request) = 0;
  virtual absl::StatusOr<v1::ListSeriesResponse> ListSeries(
      const v1::ListSeriesRequest& request) = 0;
  // As LinkClient::SubscribePredictions.
  virtual absl::Status SubscribeAlarms(
      const v1::SubscribeAlarmsRequest& request,
      const std::function<bool(const v1::SubscribeAlarmsResponse&)>& receive,
      const std::function<void()>& subscribed) = 0;
};

class AdminClient {
 public:
  static std::unique_ptr<AdminClient> Open(const std::string& address,
                                           double deadline_seconds = 5.0);
  virtual ~AdminClient() = default;

  virtual absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo() = 0;
  virtual absl::StatusOr<v1::GetGraphResponse> GetGraph() = 0;
  virtual absl::StatusOr<v1::CheckpointResponse> Checkpoint() = 0;
  virtual absl::StatusOr<v1::GetStateHashResponse> GetStateHash() = 0;
  virtual absl::Status Drain() = 0;
  virtual absl::StatusOr<v1::ListModelVersionsResponse> ListModelVersions(
      const v1::ListModelVersionsRequest& request) = 0;
  virtual absl::StatusOr<v1::ExportModelVersionResponse> ExportModelVersion(
      const v1::ExportModelVersionRequest& request) = 0;
  virtual absl::StatusOr<v1::KeepModelVersionResponse> KeepModelVersion(
      const v1::KeepModelVersionRequest& request) = 0;
  virtual absl::StatusOr<v1::ImportModelVersionResponse> ImportModelVersion(
      const v1::ImportModelVersionRequest& request) = 0;
  virtual absl::StatusOr<v1::PromoteModelVersionResponse> PromoteModelVersion(
      const v1::PromoteModelVersionRequest& request) = 0;
  virtual absl::StatusOr<v1::RollBackModelResponse> RollBackModel(
      const v1::RollBackModelRequest& request) = 0;
  virtual absl::StatusOr<v1::DropModelVersionResponse> DropModelVersion(
      const v1::DropModelVersionRequest& request) = 0;
  // Waits until the server says that it is serving, at most `seconds`.
  virtual absl::Status WaitServing(double seconds) = 0;
};

}  // namespace weft::rpc
