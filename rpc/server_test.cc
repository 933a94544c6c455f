#include "rpc/server.h"

#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "graph/clock.h"
#include "rpc/client.h"
#include "rpc/error_details.h"
#include "rpc/event_digest.h"
#include "rpc/grpc_status.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/test_predictor.h"
#include "weft/v1/ingest.grpc.pb.h"

namespace weft::rpc {
namespace {

using ::testing::HasSubstr;

constexpr double kDrainSeconds = 10;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// Not labelled `threads`: Debian's gRPC is not built for the thread sanitizer, which therefore does
// not see its locks.
class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { SetLogLevel(LogLevel::kError); }

  void Start(Server::Options options) {
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    links_ = LinkClient::Open(server_->address());
    admin_ = AdminClient::Open(server_->address());
  }
  void Start() { Start(TestServerOptions(place_)); }

  // The address may change, so clients are opened anew.
  void Restart() {
    server_.reset();
    Start();
  }

  std::unique_ptr<IngestClient> OpenIngest(std::string producer, bool resume = false,
                                           std::int64_t batch_events = 10) {
    IngestClient::Options options;
    options.address = server_->address();
    options.feed = "events";
    options.producer = std::move(producer);
    options.resume = resume;
    options.batch_events = batch_events;
    options.on_reject = [this](std::uint64_t seq, v1::RejectReason reason) {
      const std::scoped_lock lock(rejects_mutex_);
      rejects_.emplace_back(seq, reason);
    };
    auto client = IngestClient::Open(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }

  // Event `i` of the stream that the tests send: always the same for the same i.
  static absl::Status AddEvent(IngestClient& client, int i) {
    return client.Add("s" + std::to_string(i % 7), "t" + std::to_string(i % 5), i * 1000, {}, {});
  }

  void Ingest(IngestClient& client, int begin, int end) {
    for (int i = begin; i < end; ++i) ASSERT_TRUE(AddEvent(client, i).ok());
    const absl::Status status = client.Wait(IngestClient::Level::kApplied);
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string StateHash() {
    const auto hash = admin_->GetStateHash();
    EXPECT_TRUE(hash.ok()) << hash.status();
    return hash.ok() ? hash->state_hash() : "";
  }

  TestPlace place_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LinkClient> links_;
  std::unique_ptr<AdminClient> admin_;
  std::mutex rejects_mutex_;
  std::vector<std::pair<std::uint64_t, v1::RejectReason>> rejects_;
};

// However wide events are, batches fit into messages.
TEST_F(ServerTest, BatchesOfWideEventsFitIntoMessages) {
  constexpr int kEvents = 300;
  Server::Options options = TestServerOptions(place_);
  options.config.mutable_feed()->set_feature_count(200);
  options.config.mutable_call()->set_max_message_bytes(8192);
  Start(std::move(options));
  IngestClient::Options ingest;
  ingest.address = server_->address();
  ingest.feed = "events";
  ingest.producer = "p";
  ingest.feature_count = 200;
  auto client = IngestClient::Open(std::move(ingest));
  ASSERT_TRUE(client.ok()) << client.status();
  const std::vector<float> features(200, 0.5F);
  for (int i = 0; i < kEvents; ++i)
    ASSERT_TRUE((*client)->Add("s" + std::to_string(i), "t", i, {}, features).ok());
  const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ((*client)->progress().applied_seq, static_cast<std::uint64_t>(kEvents));
}

TEST_F(ServerTest, EventsComeInAndPredictionsGoOut) {
  Start();
  const auto client = OpenIngest("p");
  EXPECT_EQ(client->next_seq(), 0u);
  Ingest(*client, 0, 100);
  v1::ScoreLinksRequest request;
  for (const auto& [source, target] : {std::pair("s0", "t0"), std::pair("s1", "t1"),
                                       std::pair("s0", "new"), std::pair("x", "y")}) {
    request.add_pair()->set_source(source);
    request.mutable_pair()->rbegin()->set_target(target);
  }
  *request.mutable_min_position() = *client->progress().position;
  const auto scores = links_->ScoreLinks(request);
  ASSERT_TRUE(scores.ok()) << scores.status();
  ASSERT_EQ(scores->score_size(), 4);
  EXPECT_EQ(scores->score(0).score(), 3.0F);  // 0, 35, 70
  EXPECT_EQ(scores->score(1).score(), 3.0F);
  EXPECT_TRUE(scores->score(2).source_known());
  EXPECT_FALSE(scores->score(2).target_known());
  EXPECT_FALSE(scores->score(3).source_known());
  EXPECT_EQ(scores->model().node(), "counter");
  EXPECT_EQ(scores->model().name(), "counting");
  EXPECT_GT(scores->model().version(), 0u);
  // Asking about unknown keys makes no nodes.
  EXPECT_EQ(admin_->GetServerInfo()->node_count(), 12u);
  EXPECT_TRUE(client->Finish().ok());
}

TEST_F(ServerTest, RanksTargets) {
  Start();
  const auto client = OpenIngest("p");
  Ingest(*client, 0, 36);
  v1::RankTargetsRequest request;
  request.set_source("s0");
  request.set_top_k(2);
  auto ranked = links_->RankTargets(request);
  ASSERT_TRUE(ranked.ok()) << ranked.status();
  ASSERT_EQ(ranked->target_size(), 2);
  EXPECT_EQ(ranked->target(0).target(), "t0");  // events 0 and 35
  EXPECT_EQ(ranked->target(0).score(), 2.0F);
  EXPECT_EQ(ranked->candidate_count(), 5);
  EXPECT_FALSE(ranked->cut());
  request.set_max_candidates(3);
  ranked = links_->RankTargets(request);
  EXPECT_EQ(ranked->candidate_count(), 3);
  EXPECT_TRUE(ranked->cut());
  request.set_max_candidates(0);
  request.add_target("t9");
  request.add_target("t2");
  request.add_target("t1");
  ranked = links_->RankTargets(request);
  ASSERT_EQ(ranked->target_size(), 2);
  EXPECT_EQ(ranked->target(0).target(), "t1");
  EXPECT_EQ(ranked->target(1).target(), "t2");
  request.set_top_k(100000);
  EXPECT_EQ(links_->RankTargets(request).status(),
            InvalidField("top_k", "expected 1 to 1000, got 100000"));
}

TEST_F(ServerTest, ReturnsASetThatShouldHoldTheNextTarget) {
  Start();
  const auto client = OpenIngest("p");
  v1::RankTargetsRequest request;
  request.set_source("s0");
  request.set_coverage(0.9);
  Ingest(*client, 0, 3);
  auto ranked = links_->RankTargets(request);
  ASSERT_TRUE(ranked.ok()) << ranked.status();
  EXPECT_FALSE(ranked->coverage().has_threshold());
  EXPECT_EQ(ranked->coverage().set_size(), ranked->candidate_count());
  // Every pair comes again and again, so that a target's score is above others'.
  for (int round = 0; round < 300; ++round)
    ASSERT_TRUE(client->Add("s0", "t" + std::to_string(round % 2), 10'000 + round, {}, {}).ok());
  ASSERT_TRUE(client->Wait(IngestClient::Level::kApplied).ok());
  ranked = links_->RankTargets(request);
  ASSERT_TRUE(ranked.ok()) << ranked.status();
  EXPECT_EQ(ranked->coverage().coverage(), 0.9);
  EXPECT_TRUE(ranked->coverage().has_threshold());
  EXPECT_EQ(ranked->coverage().set_size(), 2);
  EXPECT_EQ(ranked->target_size(), 2);
  EXPECT_GE(ranked->target(1).score(), ranked->coverage().threshold());
  EXPECT_GT(ranked->coverage().held(), 0.85);
  EXPECT_GT(ranked->coverage().events(), 100);
  request.set_top_k(1);
  EXPECT_EQ(links_->RankTargets(request)->target_size(), 1);
  for (const double wrong : {-0.5, 1.0, 7.0}) {
    request.set_coverage(wrong);
    const absl::Status status = links_->RankTargets(request).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(Message(status), HasSubstr("coverage"));
  }
}

TEST_F(ServerTest, TellsItsSubscribers) {
  Start();
  std::mutex mutex;
  std::condition_variable changed;
  bool subscribed = false;
  std::vector<v1::Prediction> predictions;
  v1::SubscribePredictionsRequest request;
  request.add_source("s3");
  std::thread subscriber([&] {
    const absl::Status status = links_->SubscribePredictions(
        request,
        [&](const v1::SubscribePredictionsResponse& response) {
          EXPECT_EQ(response.model().name(), "counting");
          EXPECT_EQ(response.dropped_count(), 0u);
          for (const v1::Prediction& prediction : response.prediction()) {
            predictions.push_back(prediction);
          }
          return predictions.size() < 10;
        },
        [&] {
          const std::scoped_lock lock(mutex);
          subscribed = true;
          changed.notify_all();
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return subscribed; });
  }
  const auto client = OpenIngest("p");
  Ingest(*client, 0, 70);
  subscriber.join();
  ASSERT_EQ(predictions.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(predictions[i].source(), "s3");
    EXPECT_EQ(predictions[i].time_us(), (3 + 7 * i) * 1000);
    EXPECT_EQ(predictions[i].target(), "t" + std::to_string((3 + 7 * i) % 5));
    EXPECT_EQ(predictions[i].score(), i < 5 ? 0.0F : 1.0F);
  }
  request.set_output("none");
  const auto stop = [](const v1::SubscribePredictionsResponse&) { return false; };
  const auto refused = [] { FAIL() << "there is no such output to subscribe to"; };
  EXPECT_EQ(links_->SubscribePredictions(request, stop, refused).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ServerTest, GoesOnWhereItWas) {
  Start();
  Ingest(*OpenIngest("p"), 0, 55);
  const std::string hash = StateHash();
  Restart();
  EXPECT_EQ(StateHash(), hash);
  const auto client = OpenIngest("p", true);
  EXPECT_EQ(client->next_seq(), 55u);
  EXPECT_EQ(client->last_event_digest(), EventDigest("s5", "t4", 54000, 0, {}));
  EXPECT_TRUE(client->Wait(IngestClient::Level::kApplied).ok());  // with nothing new to send
  EXPECT_EQ(client->progress().applied_seq, 55u);
  Ingest(*client, 55, 100);
  const std::string end = StateHash();
  // With a checkpoint in between, and after a drain, it is the same state.
  ASSERT_TRUE(admin_->Checkpoint().ok());
  Restart();
  EXPECT_EQ(StateHash(), end);
  ASSERT_TRUE(server_->Drain(kDrainSeconds).ok());
  Restart();
  EXPECT_EQ(StateHash(), end);
  EXPECT_EQ(admin_->GetServerInfo()->feed(0).durable_count(), 100u);

  // And the same as that of a server that was never stopped, fed in the same batches.
  const TestPlace other;
  server_.reset();
  Start(TestServerOptions(other));
  const auto undisturbed = OpenIngest("p");
  Ingest(*undisturbed, 0, 55);
  Ingest(*undisturbed, 55, 100);
  EXPECT_EQ(StateHash(), end);
}

TEST_F(ServerTest, RefusesAProducerThatIsNotNew) {
  Start();
  Ingest(*OpenIngest("p"), 0, 10);
  IngestClient::Options options{.address = server_->address(), .feed = "events", .producer = "p"};
  const auto again = IngestClient::Open(options);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(again.status()), HasSubstr("has already sent 10 events"));
  EXPECT_EQ(ErrorReasonOf(again.status()), v1::ERROR_REASON_PRODUCER_EXISTS);
  EXPECT_FALSE(RetryDelaySeconds(again.status()));
  options.feed = "nope";
  const auto unknown = IngestClient::Open(options);
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(unknown.status()), HasSubstr("the graph has: events"));
  EXPECT_EQ(ErrorReasonOf(unknown.status()), v1::ERROR_REASON_UNKNOWN_FEED);
}

TEST_F(ServerTest, AStreamEndsWithItsReason) {
  Start();
  const auto channel = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  const auto stub = v1::IngestService::NewStub(channel);
  const auto ending = [&](const std::vector<v1::IngestRequest>& requests) {
    grpc::ClientContext context;
    const auto stream = stub->Ingest(&context);
    for (const v1::IngestRequest& request : requests) stream->Write(request);
    stream->WritesDone();
    v1::IngestResponse response;
    while (stream->Read(&response)) continue;
    return FromGrpcStatus(stream->Finish());
  };
  v1::IngestRequest hello;
  hello.mutable_hello()->set_feed("events");
  hello.mutable_hello()->set_producer("p");
  v1::IngestRequest gap;
  gap.mutable_batch()->set_first_seq(3);
  gap.mutable_batch()->add_key("a");
  gap.mutable_batch()->add_source(0);
  gap.mutable_batch()->add_target(0);
  gap.mutable_batch()->add_time_us(1);
  EXPECT_EQ(ErrorReasonOf(ending({hello, gap})), v1::ERROR_REASON_SEQUENCE_GAP);
  EXPECT_EQ(ErrorReasonOf(ending({gap})), v1::ERROR_REASON_INVALID_FIELD);
  gap.mutable_batch()->add_source(0);
  EXPECT_EQ(ending({hello, gap}), InvalidField("batch.source", "expected 1 values, got 2"));
  hello.mutable_hello()->set_feature_count(2);
  EXPECT_EQ(ending({hello}), InvalidField("hello.feature_count", "expected at most 0, got 2"));
}

TEST_F(ServerTest, RejectsSingleEventsAndGoesOn) {
  Server::Options options = TestServerOptions(place_);
  options.config.mutable_feed()->set_lateness_us(1000);
  options.config.mutable_feed()->set_feature_count(1);
  options.config.mutable_feed()->set_max_key_bytes(4);
  Start(std::move(options));
  const auto client = OpenIngest("p");
  const float one = 1;
  const float infinite = std::numeric_limits<float>::infinity();
  const std::vector<float> two = {1, 2};
  ASSERT_TRUE(client->Add("a", "b", 1'000'000, {}, {&one, 1}).ok());
  ASSERT_TRUE(client->Add("a", "", 1'000'000, {}, {&one, 1}).ok());
  ASSERT_TRUE(client->Add("a", "12345", 1'000'000, {}, {&one, 1}).ok());
  ASSERT_TRUE(client->Add("a", "b", 1'000'000, {}, {&infinite, 1}).ok());
  ASSERT_TRUE(client->Add("a", "b", 1'000'000, {}, two).ok());
  ASSERT_TRUE(client->Add("a", "b", 999'000, {}, {}).ok());
  ASSERT_TRUE(client->Add("a", "b", 998'999, {}, {}).ok());
  ASSERT_TRUE(client->Finish().ok());
  EXPECT_EQ(client->progress().durable_seq, 7u);
  EXPECT_EQ(client->progress().rejected_count, 5u);
  const std::scoped_lock lock(rejects_mutex_);
  EXPECT_EQ(rejects_, (std::vector<std::pair<std::uint64_t, v1::RejectReason>>{
                          {1, v1::REJECT_REASON_KEY_EMPTY},
                          {2, v1::REJECT_REASON_KEY_TOO_LONG},
                          {3, v1::REJECT_REASON_NOT_FINITE},
                          {4, v1::REJECT_REASON_FEATURE_COUNT},
                          {6, v1::REJECT_REASON_LATE}}));
}

TEST_F(ServerTest, ATimeFarAheadDoesNotMakeWhatFollowsLate) {
  Server::Options options = TestServerOptions(place_);
  options.config.mutable_feed()->set_max_ahead_seconds(3600);
  Start(options);
  const std::int64_t now_us = graph::SystemClock().WallTimeUs();
  const auto client = OpenIngest("p");
  ASSERT_TRUE(client->Add("a", "b", now_us, {}, {}).ok());
  ASSERT_TRUE(client->Add("a", "b", now_us * 1000, {}, {}).ok());
  ASSERT_TRUE(client->Flush().ok());
  ASSERT_TRUE(client->Add("a", "b", now_us + 1, {}, {}).ok());
  ASSERT_TRUE(client->Wait(IngestClient::Level::kApplied).ok());
  EXPECT_EQ(client->progress().rejected_count, 1u);
  const std::string hash = StateHash();
  // The verdict is in the log: a server without the limit repeats it.
  server_.reset();
  options.config.mutable_feed()->set_max_ahead_seconds(std::numeric_limits<double>::infinity());
  Start(options);
  EXPECT_EQ(StateHash(), hash);
  EXPECT_EQ(admin_->GetServerInfo()->feed(0).durable_count(), 2u);
  const std::scoped_lock lock(rejects_mutex_);
  EXPECT_EQ(rejects_, (std::vector<std::pair<std::uint64_t, v1::RejectReason>>{
                          {1, v1::REJECT_REASON_TOO_FAR_AHEAD}}));
}

TEST_F(ServerTest, AFullDiskIsSaidAtOnceAndReadsGoOn) {
  Server::Options options = TestServerOptions(place_);
  Start(options);
  Ingest(*OpenIngest("p"), 0, 10);
  server_.reset();
  options.config.mutable_log()->set_min_free_bytes(std::uint64_t{1} << 62);
  Start(options);
  const auto client = IngestClient::Open(
      {.address = server_->address(), .feed = "events", .producer = "q", .reconnect_seconds = 0});
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE(AddEvent(**client, 10).ok());
  const absl::Status status = (*client)->Wait(IngestClient::Level::kDurable);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(status), HasSubstr("the disk is full"));
  EXPECT_EQ(ErrorReasonOf(status), v1::ERROR_REASON_DISK_FULL);
  EXPECT_TRUE(RetryDelaySeconds(status));
  v1::ScoreLinksRequest request;
  request.add_pair()->set_source("s0");
  request.mutable_pair(0)->set_target("t0");
  EXPECT_EQ(links_->ScoreLinks(request)->score(0).score(), 1.0F);
  EXPECT_EQ(admin_->GetServerInfo()->feed(0).durable_count(), 10u);
}

TEST_F(ServerTest, ANewerStreamFencesTheOlder) {
  Start();
  const auto older = OpenIngest("p");
  Ingest(*older, 0, 10);
  const auto newer = OpenIngest("p", true);
  EXPECT_EQ(newer->next_seq(), 10u);
  for (int i = 10; i < 20; ++i) AddEvent(*older, i).IgnoreError();
  const absl::Status fenced = older->Wait(IngestClient::Level::kDurable);
  EXPECT_EQ(fenced.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReasonOf(fenced), v1::ERROR_REASON_PRODUCER_FENCED);
  Ingest(*newer, 10, 20);
  EXPECT_EQ(admin_->GetServerInfo()->feed(0).durable_count(), 20u);
}

TEST_F(ServerTest, DrainsAndTheClientComesBack) {
  Server::Options options = TestServerOptions(place_);
  Start(options);
  options.config.set_listen(server_->address());
  const auto client = OpenIngest("p");
  Ingest(*client, 0, 30);
  ASSERT_TRUE(server_->Drain(kDrainSeconds).ok());
  server_.reset();
  Start(std::move(options));
  Ingest(*client, 30, 60);
  EXPECT_TRUE(client->Finish().ok());
  EXPECT_GT(client->progress().reconnect_count, 0u);
  EXPECT_EQ(admin_->GetServerInfo()->feed(0).durable_count(), 60u);
}

TEST_F(ServerTest, AClientCanAskForADrain) {
  Start();
  ASSERT_TRUE(admin_->Drain().ok());
  server_->Wait();
  EXPECT_TRUE(server_->Drain(kDrainSeconds).ok());
  EXPECT_EQ(admin_->GetServerInfo().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, SaysWhatItIs) {
  Start();
  Ingest(*OpenIngest("p"), 0, 10);
  const auto info = admin_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->phase(), v1::SERVER_PHASE_SERVING);
  ASSERT_EQ(info->feed_size(), 1);
  EXPECT_EQ(info->feed(0).name(), "events");
  EXPECT_EQ(info->feed(0).durable_count(), 10u);
  EXPECT_EQ(info->feed(0).applied_count(), 10u);
  EXPECT_EQ(info->feed(0).producer_count(), 1u);
  EXPECT_EQ(info->feed(0).watermark_us(), 9000 - 5'000'000);
  EXPECT_EQ(info->link_node(0), "counter");
  EXPECT_FALSE(info->has_checkpoint());
  const auto checkpoint = admin_->Checkpoint();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->checkpoint().state_hash(), StateHash());
  EXPECT_EQ(admin_->GetServerInfo()->checkpoint().id(), checkpoint->checkpoint().id());
  EXPECT_THAT(admin_->GetGraph()->spec(), HasSubstr("counting_predictor"));
  EXPECT_TRUE(admin_->WaitServing(5).ok());
}

TEST_F(ServerTest, RefusesBadOptions) {
  const auto refused = [&](const std::function<void(Server::Options&)>& change) {
    Server::Options options = TestServerOptions(place_);
    change(options);
    return Server::Start(std::move(options)).status();
  };
  absl::Status status = refused([](auto& options) { options.config.set_listen("0.0.0.0:0"); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("insecure"));
  status = refused([](auto& options) { options.config.set_listen("127.0.0.1"); });
  EXPECT_THAT(Message(status), HasSubstr("host:port"));
  status = refused([](auto& options) { options.graph_text = "node { operator: \"nope\" }"; });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("test.pbtxt:1:"));
  status = refused([](auto& options) { options.config.mutable_feed()->set_max_producers(-1); });
  EXPECT_THAT(Message(status), HasSubstr("max_producers: expected 1 to"));
  status = refused([](auto& options) { options.config.mutable_feed()->set_max_ahead_seconds(-1); });
  EXPECT_THAT(Message(status), HasSubstr("max_ahead_seconds: expected 1e-06 to inf, got -1"));
  Start();
  status = refused([&](auto& options) { options.config.set_listen(server_->address()); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("port in use"));
  status = refused([&](auto& options) { options.config.set_http_listen(server_->http_address()); });
  EXPECT_THAT(Message(status), HasSubstr("port in use"));
  status = refused([](auto&) {});
  EXPECT_THAT(Message(status), HasSubstr("data directory is in use by process"));
}

}  // namespace
}  // namespace weft::rpc
