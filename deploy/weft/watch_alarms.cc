#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "deploy/weft/episode_text.h"
#include "deploy/weft/series_json.h"
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
  std::vector<std::string> series;
  double min_score = 0.175;
  bool every_record = false;
  std::int64_t events = 0;
  bool json = false;
};

void Print(const Flags& flags, const v1::SeriesAlarm& alarm) {
  const v1::RecordVerdict& verdict = alarm.verdict();
  const std::string time = operators::io::FormatTime(verdict.time_us());
  if (flags.json)
    return PrintJson({{"time", time},
                      {"time_us", verdict.time_us()},
                      {"series", alarm.series()},
                      {"value", NumberJson(verdict.value())},
                      {"score", verdict.score()},
                      {"alarm", verdict.alarm()},
                      {"field", verdict.field()},
                      {"experts", ExpertsJson(verdict.expert())},
                      {"forecasts", ForecastsJson(verdict.forecast())}});
  std::string why;
  for (const v1::ExpertOpinion& one : verdict.expert())
    if (one.rarity() >= 2.0) why += " " + one.expert();
  std::printf("%s  %-24s %12g  score %.3f%s\n", time.c_str(), alarm.series().c_str(),
              verdict.value(), verdict.score(), why.c_str());
}

int Run(const Flags& flags) {
  const auto client = rpc::SequenceClient::Open(flags.to);
  v1::SubscribeAlarmsRequest request;
  request.set_output(flags.output);
  for (const std::string& series : flags.series) request.add_series(series);
  request.set_min_score(flags.min_score);
  request.set_every_record(flags.every_record);
  std::int64_t seen = 0;
  const absl::Status status = client->SubscribeAlarms(
      request,
      [&](const v1::SubscribeAlarmsResponse& response) {
        for (const v1::SeriesAlarm& alarm : response.alarm()) {
          Print(flags, alarm);
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

void AddWatchAlarms(Command watch, Invocation& invocation) {
  Command command =
      watch.AddCommand("alarms", "Unusual records of series, as they come.",
                       "weft watch alarms\n"
                       "weft watch alarms --series web1 --every-record\n"
                       "weft watch alarms --json                    # docs/json/watch_alarms");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--output", flags->output,
                    "Output of the graph; the first with records of series without it");
  command.AddOption("--series", flags->series, "Only this series").Repeated();
  command.AddOption("--min-score", flags->min_score, "Alarms of at least this score (0.175)")
      .Between(0.0, 1.0);
  command.AddFlag("--every-record", flags->every_record, "Every record, whatever its score");
  command.AddOption("--events", flags->events, "Stop after this many; 0: never").NotNegative();
  command.AddFlag("--json", flags->json, "JSON Lines on stdout");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
