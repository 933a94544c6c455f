// GetHistory through a server.
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
}

}  // namespace
}  // namespace weft::rpc
