#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "deploy/weft/data_command.h"
#include "graph/check.h"
#include "graph/command.h"
#include "graph/text.h"
#include "operators/io/time_text.h"
#include "rpc/reject_reason.h"
#include "storage/data_directory.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string data_dir;
  std::string feed;
  bool json = false;
};

const char* KindName(graph::RecordKind kind) {
  switch (kind) {
    case graph::RecordKind::kEvents:
      return "events";
    case graph::RecordKind::kIdle:
      return "idle";
    case graph::RecordKind::kCommand:
      return "command";
    case graph::RecordKind::kFeedPolicy:
      return "feed_policy";
    case graph::RecordKind::kGraphSpec:
      return "graph_spec";
  }
  return "unknown";
}

std::string ReasonName(graph::RejectReason reason) {
  // The numbers are the same; a test compares them.
  return rpc::RejectReasonName(static_cast<v1::RejectReason>(reason));
}

// Prints the records of one feed.
class FeedPrinter {
 public:
  FeedPrinter(std::string feed, const std::vector<graph::ProducerState>& producers, bool json)
      : feed_(std::move(feed)), json_(json) {
    for (const graph::ProducerState& state : producers) producers_[state.producer] = state.name;
  }

  void Print(const graph::LogRecord& record) const {
    if (json_) return PrintJson(record);
    const std::string watermark = record.watermark_us == graph::kBeforeAllTime
                                      ? "-"
                                      : operators::io::FormatTime(record.watermark_us);
    std::string line = graph::Concat(feed_, " ", record.position.offset, " ", KindName(record.kind),
                                     " watermark ", watermark);
    if (record.kind == graph::RecordKind::kEvents) {
      line += graph::Concat(" producer ", ProducerName(record), " seq ", record.first_seq, " to ",
                            record.first_seq + record.seq_count - 1, ", ", record.events.size(),
                            " events");
      for (const graph::Reject& reject : record.rejects) {
        line += graph::Concat(", ", reject.seq, " ", ReasonName(reject.reason));
      }
    }
    if (const auto command = CommandOf(record)) {
      line += graph::Concat(" for node ", command->node, ", ", command->body.size(), " bytes");
    }
    std::printf("%s\n", line.c_str());
  }

 private:
  std::string ProducerName(const graph::LogRecord& record) const {
    const auto found = producers_.find(record.producer);
    return found == producers_.end() ? graph::Hexadecimal(record.producer) : found->second;
  }

  // A damaged one prints without its contents.
  static std::optional<graph::Command> CommandOf(const graph::LogRecord& record) {
    if (record.kind != graph::RecordKind::kCommand) return std::nullopt;
    absl::StatusOr<graph::Command> command = graph::DecodeCommand(record.control);
    if (!command.ok()) return std::nullopt;
    return *std::move(command);
  }

  void PrintJson(const graph::LogRecord& record) const {
    nlohmann::ordered_json object = {{"schema_version", 1},
                                     {"feed", feed_},
                                     {"position", graph::Concat(record.position.offset)},
                                     {"kind", KindName(record.kind)},
                                     {"watermark", nullptr},
                                     {"watermark_us", nullptr}};
    if (record.watermark_us != graph::kBeforeAllTime) {
      object["watermark"] = operators::io::FormatTime(record.watermark_us);
      object["watermark_us"] = record.watermark_us;
    }
    if (record.kind == graph::RecordKind::kEvents) {
      object["producer"] = ProducerName(record);
      object["first_seq"] = record.first_seq;
      object["seq_count"] = record.seq_count;
      object["events"] = record.events.size();
      object["rejects"] = nlohmann::ordered_json::array();
      for (const graph::Reject& reject : record.rejects) {
        object["rejects"].push_back({{"seq", reject.seq}, {"reason", ReasonName(reject.reason)}});
      }
    }
    if (const auto command = CommandOf(record)) {
      object["node"] = command->node;
      object["body_bytes"] = command->body.size();
    }
    std::printf(
        "%s\n",
        object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  }

  const std::string feed_;
  const bool json_;
  std::map<std::uint64_t, std::string> producers_;
};

absl::Status PrintLog(const Flags& flags) {
  WEFT_ASSIGN(const std::unique_ptr<storage::DataDirectory> directory,
              storage::DataDirectory::Open({.path = flags.data_dir, .create_if_missing = false}));
  const std::vector<std::string> feeds = directory->dictionary().Feeds();
  bool found = flags.feed.empty();
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (!flags.feed.empty() && feeds[i] != flags.feed) continue;
    found = true;
    const auto number = static_cast<std::uint32_t>(i + 1);
    WEFT_ASSIGN(const auto producers, directory->log().Producers(number));
    const FeedPrinter printer(feeds[i], producers, flags.json);
    WEFT_ASSIGN(const graph::LogPosition begin, directory->LogBegin(number));
    WEFT_TRY(directory->log().Read(begin, [&printer](const graph::LogRecord& record) {
      printer.Print(record);
      return absl::OkStatus();
    }));
  }
  if (found) return absl::OkStatus();
  return absl::NotFoundError(graph::Concat(
      "--feed: expected one of ", graph::JoinNames(feeds, ", ", "(none)"), ", got ", flags.feed));
}

int Run(const Flags& flags) {
  const absl::Status status = PrintLog(flags);
  return status.ok() ? kOk : FailOnInput(status);
}

}  // namespace

void AddDataLog(Command data, Invocation& invocation) {
  const Command command = data.AddCommand(
      "log", "Print the records of the log: who sent what, and what was not accepted.",
      "weft data log data\n"
      "weft data log data --feed events --json   # a line for each record, docs/json/data_log");
  auto flags = std::make_shared<Flags>();
  command.AddOption("DATA_DIR", flags->data_dir, "A data directory that no server has open")
      .Required();
  command.AddOption("--feed", flags->feed, "Only this feed");
  command.AddFlag("--json", flags->json, "One JSON object a line");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
