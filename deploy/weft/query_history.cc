#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "deploy/weft/query_command.h"
#include "deploy/weft/time_flags.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::io::FormatTime;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  std::string feed;
  std::optional<graph::TimeUs> at_us;
  std::int32_t limit = 0;
  double deadline_seconds = 5.0;
  bool json = false;
};

void PrintJson(const Flags& flags, const v1::GetHistoryResponse& response) {
  ordered_json events = ordered_json::array();
  for (const v1::HistoryEntry& entry : response.entry()) {
    events.push_back(
        {{"peer", entry.peer()},
         {"direction", entry.direction() == v1::EVENT_DIRECTION_SENT ? "sent" : "received"},
         {"time", FormatTime(entry.time_us())},
         {"time_us", entry.time_us()}});
  }
  ordered_json object = {{"schema_version", 1},       {"node", flags.node},
                         {"known", response.known()}, {"events", events},
                         {"more", response.more()},   {"forgotten", response.forgotten()},
                         {"complete_from", nullptr},  {"complete_from_us", nullptr}};
  if (response.has_complete_from_us()) {
    object["complete_from"] = FormatTime(response.complete_from_us());
    object["complete_from_us"] = response.complete_from_us();
  }
  std::printf("%s\n", object.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

void PrintText(const Flags& flags, const v1::GetHistoryResponse& response) {
  if (!response.known()) std::printf("%s (never seen)\n", flags.node.c_str());
  for (const v1::HistoryEntry& entry : response.entry()) {
    std::printf("%s  %s %s\n", FormatTime(entry.time_us()).c_str(),
                entry.direction() == v1::EVENT_DIRECTION_SENT ? "->" : "<-", entry.peer().c_str());
  }
  if (response.more()) std::printf("and earlier ones; see --limit\n");
  if (response.forgotten()) std::printf("earlier ones are not kept\n");
  if (response.has_complete_from_us())
    std::printf("history begins at %s\n", FormatTime(response.complete_from_us()).c_str());
}

int Query(const Flags& flags) {
  const auto client = rpc::LinkClient::Open(flags.to, flags.deadline_seconds);
  v1::GetHistoryRequest request;
  request.set_node(flags.node);
  request.set_feed(flags.feed);
  request.set_limit(flags.limit);
  if (flags.at_us) request.set_before_us(*flags.at_us);
  const auto response = client->GetHistory(request);
  if (!response.ok()) return Fail(response.status());
  if (flags.json) {
    PrintJson(flags, *response);
  } else {
    PrintText(flags, *response);
  }
  return kOk;
}

}  // namespace

void AddQueryHistory(Command query, Invocation& invocation) {
  Command command = query.AddCommand(
      "history", "The events of a node, the latest first.",
      "weft query history anna --limit 20\n"
      "weft query history anna --at 2026-01-31T12:00:00Z   # as of that time: earlier events only\n"
      "weft query history anna --json                      # docs/json/query_history");
  auto flags = std::make_shared<Flags>();
  command.AddOption("NODE", flags->node, "Key of the node").Required();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  AddAtFlag(command, "Only events of earlier times; ISO-8601 or microseconds", flags->at_us);
  command.AddOption("--limit", flags->limit, "How many events to show (100)").Between(1, 10'000);
  command.AddOption("--feed", flags->feed, "The feed; the graph's first one without it");
  command.AddOption("--deadline", flags->deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] { return Query(*flags); });
}

}  // namespace weft::deploy
