#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/explanation.h"
#include "deploy/weft/predict_command.h"
#include "deploy/weft/time_flags.h"
#include "graph/text.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string source;
  std::vector<std::string> targets;
  std::int32_t top = 0;
  double coverage = 0.0;
  std::int32_t max_candidates = 0;
  std::string node;
  bool explain = false;
  std::optional<graph::TimeUs> at_us;
  double deadline_seconds = 5.0;
  bool json = false;
};

ordered_json CoverageJson(const v1::CoverageSet& set) {
  return {{"asked", set.coverage()},
          {"threshold", set.has_threshold() ? ordered_json(set.threshold()) : nullptr},
          {"set_size", set.set_size()},
          {"held", set.held()},
          {"events", set.events()}};
}

void PrintCoverage(const v1::CoverageSet& set) {
  std::printf(
      "  %lld should hold it with a probability of %g%s; such sets held %.4f of the latest"
      " %lld\n",
      static_cast<long long>(set.set_size()), set.coverage(),
      set.has_threshold() ? "" : " (all: too few targets came so far)", set.held(),
      static_cast<long long>(set.events()));
}

// Of the targets shown, as many as the service explains in one call.
absl::StatusOr<v1::ExplainLinksResponse> Explain(rpc::LinkClient& client, const Flags& flags,
                                                 const v1::RankTargetsResponse& ranked) {
  constexpr int kPairsMax = 16;
  v1::ExplainLinksRequest request;
  request.set_score(v1::EXPLAINED_SCORE_RANKING);
  request.set_node(ranked.model().node());
  *request.mutable_min_position() = ranked.position();
  for (int i = 0; i < std::min(ranked.target_size(), kPairsMax); ++i) {
    v1::LinkPair& pair = *request.add_pair();
    pair.set_source(flags.source);
    pair.set_target(ranked.target(i).target());
  }
  if (request.pair_size() == 0) return v1::ExplainLinksResponse();
  return client.ExplainLinks(request);
}

int Predict(const Flags& flags) {
  const auto client = rpc::LinkClient::Open(flags.to, flags.deadline_seconds);
  v1::RankTargetsRequest request;
  request.set_source(flags.source);
  request.set_node(flags.node);
  const bool all = !flags.targets.empty() && flags.coverage == 0.0;
  request.set_top_k(all ? static_cast<std::int32_t>(flags.targets.size()) : flags.top);
  request.set_coverage(flags.coverage);
  request.set_max_candidates(flags.max_candidates);
  if (flags.at_us) request.set_as_of_us(*flags.at_us);
  for (const std::string& target : flags.targets) request.add_target(target);
  const auto response = client->RankTargets(request);
  if (!response.ok()) return Fail(response.status());
  v1::ExplainLinksResponse explained;
  if (flags.explain) {
    auto explanations = Explain(*client, flags, *response);
    if (!explanations.ok()) return Fail(explanations.status());
    explained = *std::move(explanations);
  }
  if (flags.json) {
    ordered_json targets = ordered_json::array();
    for (const auto& target : response->target()) {
      targets.push_back(
          {{"target", target.target()}, {"score", target.score()}, {"known", target.known()}});
    }
    ordered_json object = {{"schema_version", 1},
                           {"source", flags.source},
                           {"source_known", response->source_known()},
                           {"model", response->model().name()},
                           {"model_version", std::to_string(response->model().version())},
                           {"node", response->model().node()},
                           {"fallback", response->model().fallback()},
                           {"reason", response->model().reason()},
                           {"candidates", response->candidate_count()},
                           {"cut", response->cut()},
                           {"targets", targets}};
    if (flags.at_us) {
      object["as_of"] = operators::io::FormatTime(*flags.at_us);
      object["as_of_us"] = *flags.at_us;
    }
    if (response->has_coverage()) object["coverage"] = CoverageJson(response->coverage());
    for (int i = 0; i < explained.explanation_size(); ++i) {
      object["explanations"].push_back(
          ExplanationJson(response->target(i).target(), explained.explanation(i)));
    }
    std::printf("%s\n",
                object.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
    return kOk;
  }
  std::printf("%s%s, next target%s by %s of %lld:\n", flags.source.c_str(),
              response->source_known() ? "" : " (never seen)",
              flags.at_us ? (" as of " + operators::io::FormatTime(*flags.at_us)).c_str() : "",
              response->model().name().c_str(),
              static_cast<long long>(response->candidate_count()));
  if (response->model().fallback()) std::printf("  (%s)\n", response->model().reason().c_str());
  if (response->has_coverage()) PrintCoverage(response->coverage());
  for (int i = 0; i < response->target_size(); ++i) {
    const v1::RankedTarget& target = response->target(i);
    std::printf("  %-24s %.4f%s\n", target.target().c_str(), static_cast<double>(target.score()),
                target.known() ? "" : "  (never seen)");
    if (i < explained.explanation_size()) PrintExplanation(explained.explanation(i));
  }
  return kOk;
}

}  // namespace

void AddPredictLinks(Command predict, Invocation& invocation) {
  Command command = predict.AddCommand(
      "links", "The likeliest next targets of a node.",
      "weft predict links --source anna --top 5\n"
      "weft predict links --source anna --coverage 0.9\n"
      "weft predict links --source anna --top 3 --explain\n"
      "weft predict links --source anna --at 2026-01-31T12:00:00Z   # as of that time\n"
      "weft predict links --source anna --target bert --target carl --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--source", flags->source, "Key of the source node").Required();
  command.AddOption("--target", flags->targets, "Targets to rank; without any: those seen so far");
  command.AddOption("--top", flags->top, "How many targets to show (10)").Between(1, 1000);
  command
      .AddOption("--coverage", flags->coverage,
                 "Show the smallest set that should hold the next target with this probability")
      .Between(0.01, 0.999);
  AddAtFlag(command,
            "Answer from the events of earlier times alone, with the model's weights of now",
            flags->at_us);
  command.AddOption("--max-candidates", flags->max_candidates, "Targets to score at most (1000)")
      .Between(1, 10'000);
  command.AddOption("--node", flags->node,
                    "Node of the graph to ask; without it the learned model, or the one that the "
                    "graph's evaluation says is better");
  command
      .AddFlag("--explain", flags->explain,
               "Say what makes the log-odds of each target: groups of columns, and partners")
      .Excludes(command.Get("--at"));
  command.AddOption("--deadline", flags->deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] { return Predict(*flags); });
}

}  // namespace weft::deploy
