// GetHistory, and answers as of a past time, through a server.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog.h"
#include "rpc/client.h"
#include "rpc/error_details.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/position.h"
#include "rpc/test_predictor.h"
#include "storage/data_directory.h"

namespace weft::rpc {
namespace {

using ::testing::HasSubstr;

// Weights that stand still: what was answered then can be answered again.
constexpr const char* kGraph = R"(
name: "past"
input { name: "events" type: "EventBatch" }
node { name: "weft" operator: "weft" input: "EVENTS:events" output: "SCORES:scores" }
node { name: "recency" operator: "recency" input: "EVENTS:events" output: "SCORES:recency" }
node { name: "edgebank" operator: "edgebank" input: "EVENTS:events" output: "SCORES:edgebank" }
output { name: "predictions" stream: "scores" }
output { name: "recency" stream: "recency" }
output { name: "edgebank" stream: "edgebank" }
)";

struct Event {
  std::string source;
  std::string target;
  std::int64_t time_us;
};

// Sources that mostly go on to the same few targets; some events share their time.
std::vector<Event> MakeEvents(int count, int node_count) {
  std::mt19937 random(5);
  std::vector<Event> events;
  std::int64_t time_us = 1'000'000;
  for (int i = 0; i < count; ++i) {
    const auto source = static_cast<int>(random() % node_count);
    const int target = random() % 4 == 0
                           ? static_cast<int>(random() % node_count)
                           : (source * 7 + static_cast<int>(random() % 3)) % node_count;
    time_us += static_cast<std::int64_t>(random() % 4) * 1000;
    events.push_back({"n" + std::to_string(source), "n" + std::to_string(target), time_us});
  }
  return events;
}

class HistoryServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    options_ = TestServerOptions(place_);
    options_.graph_text = kGraph;
    options_.catalog = &operators::OperatorCatalog();
  }

  void Start() {
    server_.reset();
    auto server = Server::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    links_ = LinkClient::Open(server_->address(), 30);
    admin_ = AdminClient::Open(server_->address());
  }

  void Ingest(const std::vector<Event>& events, std::size_t begin, std::size_t end) {
    auto client = IngestClient::Open({.address = server_->address(),
                                      .feed = "events",
                                      .producer = "p" + std::to_string(begin),
                                      .batch_events = 500});
    ASSERT_TRUE(client.ok()) << client.status();
    for (std::size_t i = begin; i < end; ++i) {
      ASSERT_TRUE(
          (*client)->Add(events[i].source, events[i].target, events[i].time_us, {}, {}).ok());
    }
    const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ((*client)->progress().rejected_count, 0u);
  }

  // All of a node's history, page by page.
  std::vector<v1::HistoryEntry> History(v1::GetHistoryRequest request) {
    std::vector<v1::HistoryEntry> entries;
    for (bool more = true; more;) {
      const auto response = links_->GetHistory(request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) return entries;
      EXPECT_LE(response->entry_size(), request.limit());
      entries.insert(entries.end(), response->entry().begin(), response->entry().end());
      more = response->more();
      if (more) *request.mutable_before_position() = entries.back().position();
    }
    return entries;
  }

  void ExpectHistory(const std::vector<Event>& events, const std::string& node,
                     std::int64_t before_us) {
    v1::GetHistoryRequest request;
    request.set_node(node);
    request.set_before_us(before_us);
    request.set_limit(70);
    const std::vector<v1::HistoryEntry> entries = History(request);
    std::size_t found = 0;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (event->time_us >= before_us || (event->source != node && event->target != node)) continue;
      ASSERT_LT(found, entries.size());
      const v1::HistoryEntry& entry = entries[found++];
      EXPECT_EQ(entry.peer(), event->source == node ? event->target : event->source);
      EXPECT_EQ(entry.direction() == v1::EVENT_DIRECTION_SENT, event->source == node);
      EXPECT_EQ(entry.time_us(), event->time_us);
    }
    EXPECT_EQ(found, entries.size());
    EXPECT_GT(found, 70u);
  }

  TestPlace place_;
  Server::Options options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LinkClient> links_;
  std::unique_ptr<AdminClient> admin_;
};

TEST_F(HistoryServerTest, TellsWhatANodeHad) {
  const std::vector<Event> events = MakeEvents(3000, 20);
  Start();
  Ingest(events, 0, 2000);
  const std::vector<Event> earlier(events.begin(), events.begin() + 2000);
  ExpectHistory(earlier, "n3", graph::kAfterAllTime);
  ASSERT_TRUE(admin_->Checkpoint().ok());
  ExpectHistory(earlier, "n3", graph::kAfterAllTime);
  Ingest(events, 2000, 3000);
  Start();  // as after a crash: the last events are in the log only
  for (const char* node : {"n3", "n0", "n19"}) {
    ExpectHistory(events, node, graph::kAfterAllTime);
    ExpectHistory(events, node, events[1500].time_us);
  }
}

TEST_F(HistoryServerTest, SaysWhatIsWrong) {
  Start();
  v1::GetHistoryRequest request;
  EXPECT_EQ(links_->GetHistory(request).status(),
            InvalidField("node", "expected the key of a node"));
  request.set_node("a");
  EXPECT_FALSE(links_->GetHistory(request)->known());
  request.set_limit(10'001);
  EXPECT_EQ(links_->GetHistory(request).status(),
            InvalidField("limit", "expected 1 to 10000, got 10001"));
  request.set_limit(0);
  *request.mutable_before_position() = EncodePosition({0, 9, 0});
  EXPECT_EQ(links_->GetHistory(request).status(),
            InvalidField("before_position", "expected a position of the same feed"));
  request.clear_before_position();
  request.set_feed("nope");
  EXPECT_EQ(ErrorReasonOf(links_->GetHistory(request).status()), v1::ERROR_REASON_UNKNOWN_FEED);
  options_.config.mutable_history()->set_enabled(false);
  Start();
  request.set_feed("events");
  const absl::Status off = links_->GetHistory(request).status();
  EXPECT_EQ(off.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(off.message()), HasSubstr("history { enabled: false }"));
}

TEST_F(HistoryServerTest, OutlivesTheLog) {
  const std::vector<Event> events = MakeEvents(3000, 20);
  options_.config.mutable_log()->set_retained_entries(1);
  Start();
  for (std::size_t begin = 0; begin < 3000; begin += 500) {
    Ingest(events, begin, begin + 500);
    ASSERT_TRUE(admin_->Checkpoint().ok());
  }
  server_.reset();
  {
    const auto directory = storage::DataDirectory::Open({.path = place_.path()});
    ASSERT_TRUE(directory.ok()) << directory.status();
    EXPECT_GT((*directory)->LogBegin(1)->offset, 1000u);
  }
  Start();
  ExpectHistory(events, "n3", graph::kAfterAllTime);
}

TEST_F(HistoryServerTest, BeginsWhereTheLogDoesAndSaysSo) {
  const std::vector<Event> events = MakeEvents(3000, 20);
  options_.config.mutable_log()->set_retained_entries(1);
  options_.config.mutable_history()->set_enabled(false);
  Start();
  for (std::size_t begin = 0; begin < 3000; begin += 500) {
    Ingest(events, begin, begin + 500);
    ASSERT_TRUE(admin_->Checkpoint().ok());
  }
  options_.config.mutable_history()->set_enabled(true);
  Start();
  v1::GetHistoryRequest request;
  request.set_node("n3");
  request.set_limit(10'000);
  const auto history = links_->GetHistory(request);
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_TRUE(history->has_complete_from_us());
  EXPECT_GT(history->complete_from_us(), events[500].time_us);
  ASSERT_GT(history->entry_size(), 0);
  EXPECT_GE(history->entry().rbegin()->time_us(), history->complete_from_us());
  v1::RankTargetsRequest ranking;
  ranking.set_source("n3");
  ranking.set_as_of_us(events[500].time_us);
  const absl::Status early = links_->RankTargets(ranking).status();
  EXPECT_EQ(early.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(early.message()),
              HasSubstr("(" + std::to_string(history->complete_from_us()) + ") on"));
  ranking.set_as_of_us(events[2999].time_us);
  EXPECT_TRUE(links_->RankTargets(ranking).ok());
}

// What is asked of the live service, and later as of the time at which it was asked.
struct Questions {
  v1::ScoreLinksRequest scores;
  std::vector<v1::RankTargetsRequest> rankings;

  Questions(const std::string& model, int node_count) {
    scores.set_node(model);
    for (int n = 0; n < node_count; n += node_count / 10) {
      const std::string source = "n" + std::to_string(n);
      for (const int target : {n * 7 % node_count, (n + 1) % node_count}) {
        scores.add_pair()->set_source(source);
        scores.mutable_pair()->rbegin()->set_target("n" + std::to_string(target));
      }
      v1::RankTargetsRequest& ranking = rankings.emplace_back();
      ranking.set_node(model);
      ranking.set_source(source);
      ranking.set_top_k(5);
    }
    scores.add_pair()->set_source("stranger");
    scores.mutable_pair()->rbegin()->set_target("n1");
  }

  void AsOf(std::int64_t time_us) {
    scores.set_as_of_us(time_us);
    for (v1::RankTargetsRequest& ranking : rankings) ranking.set_as_of_us(time_us);
  }
};

struct Answers {
  v1::ScoreLinksResponse scores;
  std::vector<v1::RankTargetsResponse> rankings;

  Answers(LinkClient& links, const Questions& questions) {
    const auto scored = links.ScoreLinks(questions.scores);
    EXPECT_TRUE(scored.ok()) << scored.status();
    if (scored.ok()) scores = *scored;
    for (const v1::RankTargetsRequest& ranking : questions.rankings) {
      const auto ranked = links.RankTargets(ranking);
      EXPECT_TRUE(ranked.ok()) << ranked.status();
      if (ranked.ok()) rankings.push_back(*ranked);
    }
  }
};

class AsOfTest : public HistoryServerTest {
 protected:
  // The first event from `begin` on that is later than the one before it.
  static std::size_t NextTime(const std::vector<Event>& events, std::size_t begin) {
    while (events[begin].time_us == events[begin - 1].time_us) ++begin;
    return begin;
  }
};

TEST_F(AsOfTest, IsTheAnswerOfThen) {
  const std::vector<Event> events = MakeEvents(4000, 40);
  const std::size_t then = NextTime(events, 2000);
  Start();
  Ingest(events, 0, then);
  std::vector<Questions> questions;
  std::vector<Answers> before;
  for (const char* model : {"weft", "recency", "edgebank"}) {
    questions.emplace_back(model, 40);
    before.emplace_back(*links_, questions.back());
    questions.back().AsOf(events[then].time_us);
  }
  const auto expect_the_same = [&] {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const Answers after(*links_, questions[i]);
      ASSERT_EQ(after.rankings.size(), before[i].rankings.size());
      EXPECT_EQ(after.scores.SerializeAsString(), before[i].scores.SerializeAsString())
          << after.scores.DebugString() << before[i].scores.DebugString();
      for (std::size_t r = 0; r < after.rankings.size(); ++r) {
        EXPECT_EQ(after.rankings[r].SerializeAsString(), before[i].rankings[r].SerializeAsString())
            << after.rankings[r].DebugString() << before[i].rankings[r].DebugString();
      }
    }
  };
  // Of now, from the log alone; of then, from the log; from history in blocks; after a restart.
  for (Questions& question : questions) question.AsOf(graph::kAfterAllTime);
  expect_the_same();
  for (Questions& question : questions) question.AsOf(events[then].time_us);
  Ingest(events, then, 4000);
  expect_the_same();
  ASSERT_TRUE(admin_->Checkpoint().ok());
  expect_the_same();
  Start();
  expect_the_same();
  // And the live answers have moved on.
  questions[0].scores.clear_as_of_us();
  EXPECT_NE(links_->ScoreLinks(questions[0].scores)->score(0).score(),
            before[0].scores.score(0).score());
}

TEST_F(AsOfTest, IsNearTheAnswerOfThenWhereTheStreamIsLong) {
  constexpr int kNodes = 400;
  const std::vector<Event> events = MakeEvents(45'000, kNodes);
  const std::size_t then = NextTime(events, 40'000);
  Start();
  Ingest(events, 0, then);
  Questions questions("weft", kNodes);
  const Answers before(*links_, questions);
  Ingest(events, then, events.size());
  ASSERT_TRUE(admin_->Checkpoint().ok());
  questions.AsOf(events[then].time_us);
  const Answers after(*links_, questions);
  double difference = 0;
  for (int i = 0; i < after.scores.score_size(); ++i) {
    const double live = before.scores.score(i).score();
    difference += std::abs(after.scores.score(i).score() - live) / after.scores.score_size();
    EXPECT_EQ(after.scores.score(i).source_known(), before.scores.score(i).source_known());
  }
  EXPECT_LT(difference, 0.01);
  EXPECT_EQ(after.scores.position().token(), before.scores.position().token());
  ASSERT_EQ(after.rankings.size(), before.rankings.size());
  for (std::size_t r = 0; r < after.rankings.size(); ++r)
    EXPECT_EQ(after.rankings[r].target(0).target(), before.rankings[r].target(0).target());
}

TEST_F(AsOfTest, SaysWhatIsWrong) {
  const std::vector<Event> events = MakeEvents(600, 400);
  Start();
  Ingest(events, 0, 600);
  v1::RankTargetsRequest ranking;
  ranking.set_source("n3");
  ranking.set_as_of_us(0);
  const auto nothing = links_->RankTargets(ranking);
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(nothing->source_known());
  EXPECT_EQ(nothing->candidate_count(), 0);
  ranking.set_max_candidates(1001);
  EXPECT_EQ(
      links_->RankTargets(ranking).status(),
      InvalidField("max_candidates", "expected at most 1000 together with as_of_us, got 1001"));
  ranking.set_max_candidates(0);
  ranking.set_coverage(0.9);
  EXPECT_THAT(std::string(links_->RankTargets(ranking).status().message()), HasSubstr("coverage"));
  ranking.set_coverage(0);
  *ranking.mutable_min_position() = nothing->position();
  const absl::Status both = InvalidField("min_position", "expected none together with as_of_us");
  EXPECT_EQ(links_->RankTargets(ranking).status(), both);
  v1::ScoreLinksRequest scores;
  scores.set_as_of_us(events[300].time_us);
  for (const Event& event : events) {
    scores.add_pair()->set_source(event.source);
    scores.mutable_pair()->rbegin()->set_target(event.target);
  }
  EXPECT_THAT(std::string(links_->ScoreLinks(scores).status().message()),
              HasSubstr("pair: expected at most 256 nodes together with as_of_us"));
  options_.config.mutable_history()->set_enabled(false);
  Start();
  ranking.clear_min_position();
  EXPECT_EQ(links_->RankTargets(ranking).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace weft::rpc
