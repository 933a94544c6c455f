#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "deploy/weft/watch_command.h"
#include "graph/text.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"
#include "rpc/error_details.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string output;
  std::vector<int> levels;
  std::int64_t events = 0;
  bool json = false;
};

ordered_json ForecastJson(const v1::EpisodeForecast& forecast) {
  ordered_json next = ordered_json::array();
  for (const v1::EntityCount& entity : forecast.next_entity())
    next.push_back({{"entity", entity.entity()}, {"share", entity.share()}});
  return {{"id", std::to_string(forecast.id())},
          {"level", forecast.level()},
          {"begin_us", forecast.begin_us()},
          {"now", operators::io::FormatTime(forecast.now_us())},
          {"now_us", forecast.now_us()},
          {"end_p10_us", forecast.end_p10_us()},
          {"end_p50_us", forecast.end_p50_us()},
          {"end_p90_us", forecast.end_p90_us()},
          {"ends_within", forecast.ends_within()},
          {"counted_ends_within", forecast.counted_ends_within()},
          {"based_on", forecast.based_on()},
          {"next", next}};
}

void Print(const Flags& flags, const v1::EpisodeForecast& forecast) {
  if (flags.json) return PrintJson(ForecastJson(forecast));
  std::string next;
  for (const v1::EntityCount& entity : forecast.next_entity())
    next += absl::StrFormat("  %s %.0f%%", entity.entity(), 100.0 * entity.share());
  std::printf("level %d  open for %s  ends soon: %.0f%%  then%s\n", forecast.level(),
              DurationText(forecast.now_us() - forecast.begin_us()).c_str(),
              100.0 * forecast.ends_within(), next.empty() ? " nobody knows" : next.c_str());
}

int Run(const Flags& flags) {
  const auto client = rpc::HierarchyClient::Open(flags.to);
  v1::SubscribeForecastsRequest request;
  request.set_output(flags.output);
  for (const int level : flags.levels) request.add_level(level);
  std::int64_t seen = 0;
  const absl::Status status = client->SubscribeForecasts(
      request,
      [&](const v1::SubscribeForecastsResponse& response) {
        for (const v1::EpisodeForecast& forecast : response.forecast()) {
          Print(flags, forecast);
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

void AddWatchForecasts(Command watch, Invocation& invocation) {
  Command command = watch.AddCommand(
      "forecasts", "When open episodes will have ended and who comes next, as it is foretold.",
      "weft watch forecasts --level 2\n"
      "weft watch forecasts --json                 # docs/json/watch_forecasts");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--output", flags->output,
                    "Output of the graph; the first with forecasts without it");
  command.AddOption("--level", flags->levels, "Only this level").Repeated();
  command.AddOption("--events", flags->events, "Stop after this many; 0: never").NotNegative();
  command.AddFlag("--json", flags->json, "JSON Lines on stdout");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
