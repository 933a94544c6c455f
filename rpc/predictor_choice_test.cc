// Which model answers, asked through a real server whose learned model is worse than a baseline.
#include "rpc/predictor_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog.h"
#include "rpc/client.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/server.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {
namespace {

using ::testing::HasSubstr;

// The weights of weft are random and stay as they are.
constexpr const char* kGraph = R"(
name: "contest"
input { name: "events" type: "EventBatch" }
node {
  name: "edgebank" operator: "edgebank" input: "CANDIDATES:candidates" output: "SCORES:bank_scores"
  options { [type.googleapis.com/weft.operators.link.v1.EdgeBank] { max_pairs: 256 } }
}
node {
  name: "candidates" operator: "negative_sampler" input: "EVENTS:events"
  output: "CANDIDATES:candidates"
  options { [type.googleapis.com/weft.operators.link.v1.NegativeSampler] { ranked_one_in: 2 } }
}
node {
  name: "weft" operator: "weft" input: "CANDIDATES:candidates" output: "SCORES:weft_scores"
  options {
    [type.googleapis.com/weft.operators.link.v1.Weft] {
      cold_start: true max_nodes: 256 slots: 8 before_rows: 64
    }
  }
}
node {
  name: "evaluation" operator: "link_evaluation"
  input: "SCORES_1:weft_scores" input: "SCORES_2:bank_scores"
  options {
    [type.googleapis.com/weft.operators.link.v1.LinkEvaluation] {
      window_events: 256 window_ranks: 64 report_every_events: 64
    }
  }
}
)";

class PredictorChoiceTest : public ::testing::Test {
 protected:
  void SetUp() override { SetLogLevel(LogLevel::kError); }

  void Start(const char* graph) {
    Server::Options options = TestServerOptions(place_);
    options.graph_text = graph;
    options.catalog = &operators::OperatorCatalog();
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    links_ = LinkClient::Open(server_->address());
  }

  // Each source has one target, and comes back to it.
  void Ingest(int begin, int end) {
    IngestClient::Options options;
    options.address = server_->address();
    options.feed = "events";
    options.producer = std::to_string(begin);
    options.batch_events = 64;
    auto client = IngestClient::Open(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    for (int i = begin; i < end; ++i) {
      const std::string number = std::to_string(i * i % 31);
      ASSERT_TRUE((*client)->Add("s" + number, "t" + number, i * 1000, {}, {}).ok());
    }
    const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied);
    ASSERT_TRUE(status.ok()) << status;
  }

  v1::ScoringModel WhoScores(const std::string& node = "") {
    v1::ScoreLinksRequest request;
    request.add_pair()->set_source("s1");
    request.mutable_pair(0)->set_target("t1");
    request.set_node(node);
    const auto response = links_->ScoreLinks(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->model() : v1::ScoringModel();
  }
  v1::ScoringModel WhoRanks(const std::string& node = "") {
    v1::RankTargetsRequest request;
    request.set_source("s1");
    request.set_node(node);
    const auto response = links_->RankTargets(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->model() : v1::ScoringModel();
  }

  TestPlace place_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LinkClient> links_;
};

TEST_F(PredictorChoiceTest, TheBaselineAnswersWhileTheLearnedModelIsBehind) {
  Start(kGraph);
  EXPECT_EQ(WhoScores().node(), "weft");  // it learns, so it goes before the first of the graph
  Ingest(0, 128);
  EXPECT_EQ(WhoScores().node(), "weft");  // one report says nothing
  EXPECT_FALSE(WhoScores().fallback());
  Ingest(128, 600);
  const v1::ScoringModel scores = WhoScores();
  EXPECT_EQ(scores.node(), "edgebank");
  EXPECT_EQ(scores.name(), "edgebank");
  EXPECT_TRUE(scores.fallback());
  EXPECT_THAT(scores.reason(), HasSubstr("weft is not ahead of edgebank: average precision 0."));
  EXPECT_THAT(scores.reason(), HasSubstr("over the latest 256 events"));
  const v1::ScoringModel ranks = WhoRanks();
  EXPECT_EQ(ranks.node(), "edgebank");
  EXPECT_THAT(ranks.reason(), HasSubstr("mean reciprocal rank 0."));
  EXPECT_THAT(ranks.reason(), HasSubstr("over the latest 64 ranked events"));
  // Whoever names a node gets it.
  EXPECT_EQ(WhoScores("weft").node(), "weft");
  EXPECT_FALSE(WhoScores("weft").fallback());
  EXPECT_EQ(WhoRanks("weft").node(), "weft");

  const auto evaluation = links_->GetEvaluation({});
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  ASSERT_EQ(evaluation->model_size(), 2);
  EXPECT_EQ(evaluation->model(0).node(), "weft");
  EXPECT_TRUE(evaluation->model(0).learned());
  EXPECT_EQ(evaluation->model(1).node(), "edgebank");
  EXPECT_FALSE(evaluation->model(1).learned());
  EXPECT_LT(evaluation->model(0).average_precision(), evaluation->model(1).average_precision());
  EXPECT_LT(evaluation->model(0).mean_reciprocal_rank(),
            evaluation->model(1).mean_reciprocal_rank());
  EXPECT_TRUE(evaluation->model(0).has_log_loss());
  EXPECT_TRUE(evaluation->model(1).has_log_loss());
  EXPECT_EQ(evaluation->scores_links(), "edgebank");
  EXPECT_EQ(evaluation->scores_links_reason(), scores.reason());
  EXPECT_EQ(evaluation->ranks_targets(), "edgebank");

  server_.reset();
  Start(kGraph);
  EXPECT_EQ(WhoScores().reason(), scores.reason());
  EXPECT_EQ(WhoRanks().reason(), ranks.reason());
}

TEST_F(PredictorChoiceTest, SaysWhichEvaluationsThereAre) {
  Start(kGraph);
  v1::GetEvaluationRequest request;
  request.set_node("weft");
  const absl::Status status = links_->GetEvaluation(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("there is no link_evaluation \"weft\"; the graph has: evaluation"));
}

TEST_F(PredictorChoiceTest, WithoutAnEvaluationTheFirstPredictorAnswers) {
  Start(R"(
    name: "plain"
    input { name: "events" type: "EventBatch" }
    node { name: "one" operator: "edgebank" input: "EVENTS:events" }
    node { name: "two" operator: "recency" input: "EVENTS:events" }
  )");
  Ingest(0, 100);
  EXPECT_EQ(WhoScores().node(), "one");
  EXPECT_EQ(WhoRanks().node(), "one");
  EXPECT_FALSE(WhoRanks().fallback());
  EXPECT_EQ(links_->GetEvaluation({}).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace weft::rpc
