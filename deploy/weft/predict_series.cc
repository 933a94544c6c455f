#include <cstdio>
#include <memory>
#include <string>

#include "deploy/weft/episode_text.h"
#include "deploy/weft/predict_command.h"
#include "deploy/weft/series_json.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  std::string series;
  std::int64_t steps = 0;
  double deadline_seconds = 5.0;
  bool json = false;
};

int Predict(const Flags& flags) {
  v1::PredictRequest request;
  request.set_node(flags.node);
  request.set_series(flags.series);
  request.set_steps(flags.steps);
  const auto client = rpc::SequenceClient::Open(flags.to, flags.deadline_seconds);
  const auto response = client->Predict(request);
  if (!response.ok()) return Fail(response.status());
  if (flags.json) {
    PrintJson({{"schema_version", 1},
               {"node", response->state().node()},
               {"series", flags.series},
               {"time", operators::io::FormatTime(response->time_us())},
               {"time_us", response->time_us()},
               {"value", NumberJson(response->value())},
               {"records", response->record_count()},
               {"forecasts", ForecastsJson(response->forecast())}});
    return kOk;
  }
  std::printf("%s, %g at %s (record %lld):\n", flags.series.c_str(), response->value(),
              operators::io::FormatTime(response->time_us()).c_str(),
              static_cast<long long>(response->record_count()));
  if (response->forecast().empty()) std::printf("  nothing is known yet\n");
  for (const v1::StepForecast& step : response->forecast())
    std::printf("  in %-4lld %12g   %g to %g%s\n", static_cast<long long>(step.horizon()),
                step.mean(), step.p10(), step.p90(), step.interpolated() ? "  (between)" : "");
  return kOk;
}

}  // namespace

void AddPredictSeries(Command predict, Invocation& invocation) {
  Command command = predict.AddCommand(
      "series", "Where a series of numbers will be, with the range of 80 in 100.",
      "weft predict series web1\n"
      "weft predict series web1 --steps 5 --json       # docs/json/predict_series");
  auto flags = std::make_shared<Flags>();
  command.AddOption("SERIES", flags->series, "Key of the series").Required();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command
      .AddOption("--steps", flags->steps,
                 "From 1 to this many records ahead; without it the horizons of the model")
      .Between(1L, 10'000L);
  command.AddOption("--node", flags->node,
                    "Node of the graph that follows series; the first one without it");
  command.AddOption("--deadline", flags->deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] { return Predict(*flags); });
}

}  // namespace weft::deploy
