#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "graph/text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string source;
  std::vector<std::string> targets;
  std::int32_t top = 10;
  std::int32_t max_candidates = 0;
  std::string node;
  double deadline_seconds = 5.0;
  bool json = false;
};

int Predict(const Flags& flags) {
  const auto client = rpc::LinkClient::Open(flags.to, flags.deadline_seconds);
  v1::RankTargetsRequest request;
  request.set_source(flags.source);
  request.set_node(flags.node);
  request.set_top_k(flags.targets.empty() ? flags.top
                                          : static_cast<std::int32_t>(flags.targets.size()));
  request.set_max_candidates(flags.max_candidates);
  for (const std::string& target : flags.targets) request.add_target(target);
  const auto response = client->RankTargets(request);
  if (!response.ok()) return Fail(response.status());
  if (flags.json) {
    ordered_json targets = ordered_json::array();
    for (const auto& target : response->target()) {
      targets.push_back(
          {{"target", target.target()}, {"score", target.score()}, {"known", target.known()}});
    }
    const ordered_json object = {{"schema_version", 1},
                                 {"source", flags.source},
                                 {"source_known", response->source_known()},
                                 {"model", response->model().name()},
                                 {"model_version", std::to_string(response->model().version())},
                                 {"candidates", response->candidate_count()},
                                 {"cut", response->cut()},
                                 {"targets", targets}};
    std::printf("%s\n",
                object.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
    return kOk;
  }
  std::printf("%s%s, next target by %s of %lld:\n", flags.source.c_str(),
              response->source_known() ? "" : " (never seen)", response->model().name().c_str(),
              static_cast<long long>(response->candidate_count()));
  for (const auto& target : response->target()) {
    std::printf("  %-24s %.4f%s\n", target.target().c_str(), static_cast<double>(target.score()),
                target.known() ? "" : "  (never seen)");
  }
  return kOk;
}

}  // namespace

void AddPredictCommand(CLI::App& root, Invocation& invocation) {
  CLI::App* predict = AddCommand(root, "predict", "Ask a service what comes next.",
                                 "weft predict links --to 127.0.0.1:7171 --source anna --top 5");
  predict->require_subcommand(1);
  CLI::App* command =
      AddCommand(*predict, "links", "The likeliest next targets of a node.",
                 "weft predict links --source anna --top 5\n"
                 "weft predict links --source anna --target bert --target carl --json");
  auto flags = std::make_shared<Flags>();
  command->add_option("--to", flags->to, "The service, host:port")->envname("WEFT_TO");
  command->add_option("--source", flags->source, "Key of the source node")->required();
  command->add_option("--target", flags->targets,
                      "Targets to rank; without any: those seen so far");
  command->add_option("--top", flags->top, "How many targets to show")->check(CLI::Range(1, 1000));
  command->add_option("--max-candidates", flags->max_candidates, "Targets to score at most (1000)")
      ->check(CLI::Range(1, 10'000));
  command->add_option("--node", flags->node,
                      "Node of the graph to ask; the first link predictor without it");
  command->add_option("--deadline", flags->deadline_seconds, "Seconds to wait")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", flags->json, "One JSON object on stdout");
  command->callback([&invocation, flags] { invocation.run = [flags] { return Predict(*flags); }; });
}

}  // namespace weft::deploy
