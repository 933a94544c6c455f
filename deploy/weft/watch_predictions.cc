#include <cstdio>

#include "deploy/weft/watch_command.h"
#include "graph/text.h"
#include "operators/io/json_text.h"
#include "operators/io/time_text.h"
#include "operators/learn/ranking_metrics.h"
#include "rpc/client.h"
#include "rpc/error_details.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string output;
  std::vector<std::string> sources;
  std::int64_t events = 0;
  std::int64_t summary_every = 0;
  std::int32_t window = 4096;
  bool json = false;
};

void AppendProbability(std::string_view name, bool given, float probability, std::string& line) {
  line += name;
  if (given) {
    operators::io::AppendJsonNumber(line, probability);
  } else {
    line += "null";
  }
}

class Watch {
 public:
  explicit Watch(const Flags& flags) : flags_(flags), window_(flags.window) {}

  // False when enough was seen.
  bool Receive(const v1::SubscribePredictionsResponse& response) {
    for (const v1::Prediction& prediction : response.prediction()) {
      ++events_;
      if (flags_.summary_every > 0) {
        if (!prediction.negative().empty())
          window_.Add(prediction.score(), prediction.negative_score());
        if (events_ % flags_.summary_every == 0) PrintSummary(response);
      } else {
        PrintPrediction(response, prediction);
      }
      if (events_ == flags_.events) break;
    }
    std::fflush(stdout);
    return events_ != flags_.events;
  }

 private:
  void PrintSummary(const v1::SubscribePredictionsResponse& response) const {
    const operators::learn::RankingScore ranking = window_.Ranking();
    std::string line;
    if (flags_.json) {
      line = "{\"model\":";
      operators::io::AppendJsonString(line, response.model().name());
      line +=
          graph::Concat(",\"events\":", events_, ",\"window_events\":", window_.size(), ",\"ap\":");
      operators::io::AppendJsonNumber(line, ranking.average_precision);
      line += ",\"auc\":";
      operators::io::AppendJsonNumber(line, ranking.area_under_curve);
      line += graph::Concat(",\"dropped\":", response.dropped_count(), "}");
      std::printf("%s\n", line.c_str());
    } else {
      std::printf("%-12s %9lld events   AP %.4f   AUC %.4f   (latest %lld)\n",
                  response.model().name().c_str(), static_cast<long long>(events_),
                  ranking.average_precision, ranking.area_under_curve,
                  static_cast<long long>(window_.size()));
    }
  }

  void PrintPrediction(const v1::SubscribePredictionsResponse& response,
                       const v1::Prediction& prediction) const {
    const std::string time = operators::io::FormatTime(prediction.time_us());
    if (!flags_.json) {
      std::printf("%s  %s -> %s  %.4f", time.c_str(), prediction.source().c_str(),
                  prediction.target().c_str(), static_cast<double>(prediction.score()));
      if (!prediction.negative().empty()) {
        std::printf("   (%s %.4f)", prediction.negative().c_str(),
                    static_cast<double>(prediction.negative_score()));
      }
      std::printf("\n");
      return;
    }
    std::string line = graph::Concat("{\"time\":\"", time, "\",\"time_us\":", prediction.time_us(),
                                     ",\"source\":");
    operators::io::AppendJsonString(line, prediction.source());
    line += ",\"target\":";
    operators::io::AppendJsonString(line, prediction.target());
    line += ",\"score\":";
    operators::io::AppendJsonNumber(line, prediction.score());
    AppendProbability(",\"probability\":", prediction.has_probability(), prediction.probability(),
                      line);
    if (prediction.negative().empty()) {
      line += ",\"negative\":null,\"negative_score\":null,\"negative_probability\":null";
    } else {
      line += ",\"negative\":";
      operators::io::AppendJsonString(line, prediction.negative());
      line += ",\"negative_score\":";
      operators::io::AppendJsonNumber(line, prediction.negative_score());
      AppendProbability(",\"negative_probability\":", prediction.has_negative_probability(),
                        prediction.negative_probability(), line);
    }
    line += ",\"model\":";
    operators::io::AppendJsonString(line, response.model().name());
    line += graph::Concat(",\"model_version\":\"", response.model().version(), "\"}");
    std::printf("%s\n", line.c_str());
  }

  const Flags& flags_;
  operators::learn::RankingWindow window_;
  std::int64_t events_ = 0;
};

int Run(const Flags& flags) {
  const auto client = rpc::LinkClient::Open(flags.to);
  v1::SubscribePredictionsRequest request;
  request.set_output(flags.output);
  for (const std::string& source : flags.sources) request.add_source(source);
  Watch watch(flags);
  const absl::Status status = client->SubscribePredictions(
      request,
      [&watch](const v1::SubscribePredictionsResponse& response) {
        return watch.Receive(response);
      },
      [&flags] { std::fprintf(stderr, "weft: watching %s\n", flags.to.c_str()); });
  if (status.ok()) return kOk;
  // What gRPC says about a lost connection does not name the server.
  if (absl::IsUnavailable(status) && rpc::ErrorReasonOf(status) == v1::ERROR_REASON_UNSPECIFIED)
    return Fail(graph::Concat(flags.to, ": ", status.message()));
  return Fail(status);
}

}  // namespace

void AddWatchPredictions(Command watch, Invocation& invocation) {
  Command command = watch.AddCommand(
      "predictions", "Every event with the score it had before it came.",
      "weft watch predictions\n"
      "weft watch predictions --source anna --json\n"
      "weft watch predictions --output edgebank --summary-every 1000   # running accuracy");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--output", flags->output,
                    "Output of the graph; the first with link scores without it");
  command.AddOption("--source", flags->sources, "Only events of these sources");
  command.AddOption("--events", flags->events, "Stop after this many; 0: never").NotNegative();
  command
      .AddOption("--summary-every", flags->summary_every,
                 "Instead of events: the accuracy, after each so many")
      .Positive();
  command.AddOption("--window", flags->window, "Latest events that the accuracy is about")
      .Between(1, 1'048'576);
  command.AddFlag("--json", flags->json, "JSON Lines on stdout");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
