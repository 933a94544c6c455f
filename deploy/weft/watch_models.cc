#include <chrono>
#include <cstdio>
#include <thread>

#include <nlohmann/json.hpp>

#include "deploy/weft/watch_command.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  double every_seconds = 1.0;
  std::int64_t reports = 0;
  bool json = false;
};

ordered_json FiguresJson(const v1::ModelFigures& model) {
  return {{"node", model.node()},
          {"model", model.name()},
          {"model_version", std::to_string(model.version())},
          {"learned", model.learned()},
          {"events", model.events()},
          {"window_events", model.window_events()},
          {"ap", model.average_precision()},
          {"auc", model.area_under_curve()},
          {"log_loss", model.has_log_loss() ? ordered_json(model.log_loss()) : nullptr},
          {"ranked_events", model.ranked_events()},
          {"mrr",
           model.has_mean_reciprocal_rank() ? ordered_json(model.mean_reciprocal_rank()) : nullptr},
          {"time", operators::io::FormatTime(model.time_us())},
          {"time_us", model.time_us()}};
}

void PrintJson(const v1::GetEvaluationResponse& response) {
  ordered_json models = ordered_json::array();
  for (const v1::ModelFigures& model : response.model()) models.push_back(FiguresJson(model));
  const ordered_json object = {
      {"models", models},
      {"scores_links",
       {{"node", response.scores_links()}, {"reason", response.scores_links_reason()}}},
      {"ranks_targets",
       {{"node", response.ranks_targets()}, {"reason", response.ranks_targets_reason()}}}};
  std::printf("%s\n", object.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

void PrintOptional(bool given, double figure) {
  if (given) {
    std::printf("  %8.4f", figure);
  } else {
    std::printf("  %8s", "-");
  }
}

void PrintTable(const v1::GetEvaluationResponse& response) {
  std::printf("%-16s %10s  %8s  %8s  %8s  %8s   of the latest\n", "node", "events", "AP", "AUC",
              "log loss", "MRR");
  for (const v1::ModelFigures& model : response.model()) {
    std::printf("%-16s %10lld  %8.4f  %8.4f", model.node().c_str(),
                static_cast<long long>(model.events()), model.average_precision(),
                model.area_under_curve());
    PrintOptional(model.has_log_loss(), model.log_loss());
    PrintOptional(model.has_mean_reciprocal_rank(), model.mean_reciprocal_rank());
    std::printf("   %lld, %lld ranked\n", static_cast<long long>(model.window_events()),
                static_cast<long long>(model.ranked_events()));
  }
  for (const auto& [what, reason] : {std::pair("scores", response.scores_links_reason()),
                                     std::pair("ranks", response.ranks_targets_reason())}) {
    if (!reason.empty()) std::printf("another model %s: %s\n", what, reason.c_str());
  }
}

// Rises with every report of any model.
std::int64_t EventsOf(const v1::GetEvaluationResponse& response) {
  std::int64_t events = 0;
  for (const v1::ModelFigures& model : response.model()) events += model.events();
  return events;
}

int WatchModels(const Flags& flags) {
  const auto client = rpc::LinkClient::Open(flags.to);
  v1::GetEvaluationRequest request;
  request.set_node(flags.node);
  std::int64_t reports = 0;
  for (std::int64_t shown = 0;;) {
    const auto response = client->GetEvaluation(request);
    if (!response.ok()) return Fail(response.status());
    if (EventsOf(*response) != shown) {
      shown = EventsOf(*response);
      if (flags.json) {
        PrintJson(*response);
      } else {
        PrintTable(*response);
      }
      std::fflush(stdout);
      if (++reports == flags.reports) return kOk;
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(flags.every_seconds));
  }
}

}  // namespace

void AddWatchModels(Command watch, Invocation& invocation) {
  Command command =
      watch.AddCommand("models", "How well the models predict, side by side, as events come in.",
                       "weft watch models\n"
                       "weft watch models --reports 1 --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--node", flags->node,
                    "link_evaluation of the graph to ask; the first without it");
  command.AddOption("--every", flags->every_seconds, "Seconds between two looks (1)")
      .Between(0.01, 3600.0);
  command.AddOption("--reports", flags->reports, "Stop after this many; 0: never").NotNegative();
  command.AddFlag("--json", flags->json, "JSON Lines on stdout");
  command.Runs(invocation, [flags] { return WatchModels(*flags); });
}

}  // namespace weft::deploy
