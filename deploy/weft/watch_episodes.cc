#include <cstdio>
#include <memory>

#include "deploy/weft/episode_text.h"
#include "deploy/weft/watch_command.h"
#include "graph/text.h"
#include "rpc/client.h"
#include "rpc/error_details.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string output;
  std::vector<int> levels;
  std::string change;
  double min_salience = 0.0;
  std::int64_t events = 0;
  bool json = false;
};

const char* ChangeName(v1::EpisodeChange change) {
  switch (change) {
    case v1::EPISODE_CHANGE_OPENED:
      return "opened";
    case v1::EPISODE_CHANGE_CLOSED:
      return "closed";
    case v1::EPISODE_CHANGE_GROWN:
      return "grown";
    default:
      return "final";
  }
}

v1::SubscribeRequest RequestOf(const Flags& flags) {
  v1::SubscribeRequest request;
  request.set_output(flags.output);
  for (const int level : flags.levels) request.add_level(level);
  for (const v1::EpisodeChange change : {v1::EPISODE_CHANGE_OPENED, v1::EPISODE_CHANGE_CLOSED,
                                         v1::EPISODE_CHANGE_FINAL, v1::EPISODE_CHANGE_GROWN})
    if (flags.change == ChangeName(change)) request.add_change(change);
  request.set_min_salience(flags.min_salience);
  return request;
}

void Print(const Flags& flags, const v1::EpisodeEvent& event) {
  if (!flags.json) {
    std::printf("%-6s  %s\n", ChangeName(event.change()), EpisodeLine(event.episode()).c_str());
    return;
  }
  ordered_json json = {{"change", ChangeName(event.change())}};
  json.update(EpisodeJson(event.episode()));
  PrintJson(json);
}

int Run(const Flags& flags) {
  const auto client = rpc::HierarchyClient::Open(flags.to);
  std::int64_t seen = 0;
  const absl::Status status = client->Subscribe(
      RequestOf(flags),
      [&](const v1::SubscribeResponse& response) {
        for (const v1::EpisodeEvent& event : response.event()) {
          Print(flags, event);
          if (++seen == flags.events) break;
        }
        std::fflush(stdout);
        return seen != flags.events;
      },
      [&flags] { std::fprintf(stderr, "weft: watching %s\n", flags.to.c_str()); });
  if (status.ok()) return kOk;
  // What gRPC says about a lost connection does not name the server.
  if (absl::IsUnavailable(status) && rpc::ErrorReasonOf(status) == v1::ERROR_REASON_UNSPECIFIED)
    return Fail(graph::Concat(flags.to, ": ", status.message()));
  return Fail(status);
}

}  // namespace

void AddWatchEpisodes(Command watch, Invocation& invocation) {
  Command command = watch.AddCommand("episodes", "Episodes as they begin, end and become final.",
                                     "weft watch episodes\n"
                                     "weft watch episodes --level 2 --change closed --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--output", flags->output,
                    "Output of the graph; the first with episodes without it");
  command.AddOption("--level", flags->levels, "Only this level").Repeated();
  command.AddOption("--change", flags->change, "Only this: opened, closed, final or grown")
      .OneOf({"opened", "closed", "final", "grown"});
  command
      .AddOption("--min-salience", flags->min_salience,
                 "Only final episodes of so many nats or more")
      .NotNegative();
  command.AddOption("--events", flags->events, "Stop after this many; 0: never").NotNegative();
  command.AddFlag("--json", flags->json, "JSON Lines on stdout");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
