#include "rpc/http_server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "absl/strings/escaping.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "rpc/client.h"
#include "rpc/error_details.h"
#include "rpc/logging.h"
#include "rpc/server.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class HttpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    auto server = Server::Start(TestServerOptions(place_));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    http_ = std::make_unique<httplib::Client>("http://" + server_->http_address());
  }

  json Post(const std::string& path, const json& body, int status = 200) {
    const auto result = http_->Post(path, body.dump(), "application/json");
    EXPECT_TRUE(result) << path;
    if (!result) return {};
    EXPECT_EQ(result->status, status) << result->body;
    return json::parse(result->body);
  }

  TestPlace place_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<httplib::Client> http_;
};

json TwoEvents() {
  return {{"feed", "events"},
          {"producer", "p"},
          {"batch",
           {{"key", {"a", "b", "c"}},
            {"source", {0, 1}},
            {"target", {1, 2}},
            {"timeUs", {"1000", "2000"}}}}};
}

TEST_F(HttpTest, AnswersProbesAndMetrics) {
  EXPECT_EQ(http_->Get("/livez")->status, 200);
  EXPECT_EQ(http_->Get("/readyz")->status, 200);
  Post("/weft.v1.IngestService/IngestBatch", TwoEvents());
  const auto metrics = http_->Get("/metrics");
  ASSERT_EQ(metrics->status, 200);
  EXPECT_THAT(metrics->body,
              HasSubstr("weft_ingest_events_total{feed=\"events\",result=\"accepted\"} 2"));
  EXPECT_THAT(metrics->body, HasSubstr("# TYPE weft_log_write_seconds histogram"));
  EXPECT_THAT(metrics->body,
              HasSubstr("grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"IngestBatch\","));
  EXPECT_EQ(http_->Get("/nothing")->status, 404);
}

TEST_F(HttpTest, TakesEventsAndPredictsInJson) {
  const json taken = Post("/weft.v1.IngestService/IngestBatch", TwoEvents());
  EXPECT_EQ(taken["durableSeq"], "2");
  const json request = {{"pair", {{{"source", "a"}, {"target", "b"}}}},
                        {"minPosition", taken["position"]}};
  const json scores = Post("/weft.v1.LinkService/ScoreLinks", request);
  EXPECT_EQ(scores["score"][0]["score"], 1.0);
  EXPECT_EQ(scores["score"][0]["sourceKnown"], true);
  EXPECT_EQ(scores["model"]["name"], "counting");

  // gRPC answers the same.
  v1::ScoreLinksRequest message;
  message.add_pair()->set_source("a");
  message.mutable_pair(0)->set_target("b");
  const auto links = LinkClient::Open(server_->address());
  EXPECT_EQ(links->ScoreLinks(message)->score(0).score(), 1.0F);

  const json ranked = Post("/weft.v1.LinkService/RankTargets", {{"source", "b"}, {"topK", 1}});
  EXPECT_EQ(ranked["target"][0]["target"], "c");
}

TEST_F(HttpTest, RepeatsOfABatchAreNotTakenTwice) {
  Post("/weft.v1.IngestService/IngestBatch", TwoEvents());
  EXPECT_EQ(Post("/weft.v1.IngestService/IngestBatch", TwoEvents())["durableSeq"], "2");
  json appended = TwoEvents();
  appended["append"] = true;
  EXPECT_EQ(Post("/weft.v1.IngestService/IngestBatch", appended)["durableSeq"], "4");
  json gap = TwoEvents();
  gap["batch"]["firstSeq"] = "9";
  EXPECT_EQ(Post("/weft.v1.IngestService/IngestBatch", gap, 400)["code"], "out_of_range");
}

TEST_F(HttpTest, SaysWhatIsWrong) {
  EXPECT_EQ(Post("/weft.v1.LinkService/Nothing", json::object(), 404)["code"], "not_found");
  EXPECT_EQ(Post("/weft.v1.LinkService/ScoreLinks", json::object(), 400)["code"],
            "invalid_argument");
  const json unknown = Post("/weft.v1.LinkService/ScoreLinks", {{"pears", 1}}, 400);
  EXPECT_THAT(unknown["message"].get<std::string>(), HasSubstr("pears"));
  EXPECT_EQ(http_->Post("/weft.v1.LinkService/ScoreLinks", "{}", "text/plain")->status, 415);
  const auto broken = http_->Post("/weft.v1.LinkService/ScoreLinks", "{", "application/json");
  EXPECT_EQ(broken->status, 400);
  const json request = {{"pair", {{{"source", "a"}, {"target", "b"}}}}};
  const httplib::Headers late = {{"Connect-Timeout-Ms", "0"}};
  EXPECT_EQ(http_->Post("/weft.v1.LinkService/ScoreLinks", late, request.dump(), "application/json")
                ->status,
            504);
  const httplib::Headers wrong = {{"Connect-Timeout-Ms", "soon"}};
  EXPECT_EQ(
      http_->Post("/weft.v1.LinkService/ScoreLinks", wrong, request.dump(), "application/json")
          ->status,
      400);
}

TEST_F(HttpTest, ErrorsHaveTheDetailsOfGrpc) {
  const json error = Post("/weft.v1.LinkService/ScoreLinks", json::object(), 400);
  const json expected = {{"reason", "INVALID_FIELD"}, {"domain", "weft"}};
  ASSERT_EQ(error["details"].size(), 2u);
  EXPECT_EQ(error["details"][0]["type"], "google.rpc.ErrorInfo");
  EXPECT_EQ(error["details"][0]["debug"], expected);
  EXPECT_EQ(error["details"][1]["type"], "google.rpc.BadRequest");
  EXPECT_EQ(error["details"][1]["debug"]["fieldViolations"][0]["field"], "pair");

  const absl::Status status =
      LinkClient::Open(server_->address())->ScoreLinks(v1::ScoreLinksRequest()).status();
  const google::rpc::Status grpc = ToRpcStatus(status);
  ASSERT_EQ(grpc.details_size(), 2);
  for (int i = 0; i < 2; ++i) {
    std::string value;
    ASSERT_TRUE(absl::Base64Unescape(error["details"][i]["value"].get<std::string>(), &value));
    EXPECT_EQ(value, grpc.details(i).value());
  }
  // What has no details says nothing of them.
  EXPECT_FALSE(Post("/weft.v1.LinkService/Nothing", json::object(), 404).contains("details"));
}

TEST_F(HttpTest, HealthIsKnownPerService) {
  const auto channel = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  const auto health = grpc::health::v1::Health::NewStub(channel);
  for (const char* service : {"", "weft.v1.IngestService", "weft.v1.LinkService"}) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    EXPECT_TRUE(health->Check(&context, request, &response).ok());
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("nobody");
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_EQ(health->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);

  // A watcher sees the server go.
  grpc::ClientContext watch_context;
  const auto watch = health->Watch(&watch_context, grpc::health::v1::HealthCheckRequest());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  ASSERT_TRUE(server_->Drain(10).ok());
  bool went = false;
  while (watch->Read(&response)) {
    went = response.status() == grpc::health::v1::HealthCheckResponse::NOT_SERVING;
  }
  EXPECT_TRUE(went);
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace weft::rpc
