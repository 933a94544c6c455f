#include "rpc/server_config.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "graph/check.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::rpc {
namespace {

using config::v1::ServerConfig;
using google::protobuf::Descriptor;
using graph::Concat;

// Keeps the first error of the text.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (!text.empty()) return;
    text = message;
    place = Concat(line + 1, ":", column + 1);
  }
  std::string place;
  std::string text;
};

void CollectFields(const Descriptor& message, std::vector<std::string_view>& names) {
  for (int i = 0; i < message.field_count(); ++i) {
    names.push_back(message.field(i)->name());
    if (message.field(i)->message_type() != nullptr) {
      CollectFields(*message.field(i)->message_type(), names);
    }
  }
}

// Protobuf's message quotes the unknown field: has no field named "lissten".
std::string Suggestion(std::string_view error) {
  constexpr std::string_view kMark = "no field named \"";
  const std::size_t mark = error.find(kMark);
  if (mark == std::string_view::npos) return "";
  std::string_view name = error.substr(mark + kMark.size());
  name = name.substr(0, name.find('"'));
  std::vector<std::string_view> names;
  CollectFields(*ServerConfig::descriptor(), names);
  return graph::DidYouMean(name, names);
}

template <class T>
absl::Status CheckRange(std::string_view field, T value, T smallest, T largest) {
  if (value >= smallest && value <= largest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Concat(field, ": expected ", smallest, " to ", largest, ", got ", value));
}

// 0 stands for the default.
#define WEFT_COMPLETE(message, field, fallback, smallest, largest)                        \
  do {                                                                                    \
    if ((message).field() == 0) (message).set_##field(fallback);                          \
    WEFT_TRY(CheckRange(#field, (message).field(), decltype((message).field())(smallest), \
                        decltype((message).field())(largest)));                           \
  } while (false)

absl::Status CompleteFeed(config::v1::FeedConfig& feed) {
  if (!feed.has_lateness_us()) feed.set_lateness_us(5'000'000);
  WEFT_TRY(CheckRange<std::int64_t>("lateness_us", feed.lateness_us(), 0, std::int64_t{1} << 60));
  if (!std::isfinite(feed.idle_after_seconds()) || feed.idle_after_seconds() < 0) {
    return absl::InvalidArgumentError("idle_after_seconds: expected 0 or more");
  }
  WEFT_COMPLETE(feed, max_producers, 1024, 1, 1 << 20);
  WEFT_COMPLETE(feed, max_key_bytes, 256, 1, 65536);
  WEFT_TRY(CheckRange("feature_count", feed.feature_count(), 0, 4096));
  WEFT_COMPLETE(feed, max_batch_events, 16384, 1, 1 << 20);
  WEFT_COMPLETE(feed, window_events, 65536, 1, 1 << 24);
  WEFT_COMPLETE(feed, max_nodes, 100'000'000, 1, 0xffffffffULL);
  WEFT_COMPLETE(feed, max_ahead_seconds, 86'400, 1e-6, std::numeric_limits<double>::infinity());
  return absl::OkStatus();
}

absl::Status CompleteCalls(config::v1::CallConfig& call) {
  WEFT_COMPLETE(call, max_message_bytes, 16 << 20, 4096, 1 << 30);
  WEFT_COMPLETE(call, worker_threads, 4, 1, 256);
  WEFT_COMPLETE(call, max_waiting_calls, 1024, 1, 1 << 20);
  if (call.default_deadline_seconds() == 0) call.set_default_deadline_seconds(5);
  WEFT_TRY(CheckRange("default_deadline_seconds", call.default_deadline_seconds(), 0.001, 3600.0));
  WEFT_COMPLETE(call, max_subscribers, 64, 1, 4096);
  WEFT_COMPLETE(call, subscriber_queue, 256, 1, 65536);
  return absl::OkStatus();
}

absl::Status CompleteHistory(config::v1::HistoryConfig& history) {
  if (!history.has_enabled()) history.set_enabled(true);
  WEFT_COMPLETE(history, retained_events_per_node, 16'384, 1, std::uint64_t{1} << 40);
  return CheckRange("retained_seconds", history.retained_seconds(), 0.0, 1e12);
}

#undef WEFT_COMPLETE

}  // namespace

absl::StatusOr<ServerConfig> ParseServerConfig(std::string_view text, std::string_view file_name) {
  ServerConfig config;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(std::string(text), &config)) return config;
  return absl::InvalidArgumentError(
      Concat(file_name, ":", error.place, ": ", error.text, Suggestion(error.text)));
}

absl::StatusOr<ServerConfig> CompleteServerConfig(ServerConfig config) {
  if (config.data_dir().empty()) {
    return absl::InvalidArgumentError("data_dir: expected the path of the data directory");
  }
  if (config.listen().empty()) config.set_listen("127.0.0.1:7171");
  if (config.http_listen().empty()) config.set_http_listen("127.0.0.1:7172");
  if (config.recovery().max_replay_seconds() == 0) {
    config.mutable_recovery()->set_max_replay_seconds(5);
  }
  WEFT_TRY(CheckRange("max_replay_seconds", config.recovery().max_replay_seconds(), 0.05, 86400.0));
  if (config.log().min_free_bytes() == 0) {
    config.mutable_log()->set_min_free_bytes(std::uint64_t{64} << 20);
  }
  WEFT_TRY(CompleteFeed(*config.mutable_feed()));
  WEFT_TRY(CompleteCalls(*config.mutable_call()));
  WEFT_TRY(CompleteHistory(*config.mutable_history()));
  return config;
}

}  // namespace weft::rpc
