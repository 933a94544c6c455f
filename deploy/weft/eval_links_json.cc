#include "deploy/weft/eval_links_json.h"

#include <algorithm>
#include <optional>

#include "deploy/weft/eval_command.h"
#include "graph/text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::link::LinkCost;
using operators::link::LinkEvaluationOptions;
using operators::link::LinkEvaluationResult;
using operators::link::LinkFigures;

// What could not be computed is null, and says why.
ordered_json Null(const char* key, const std::string& reason) {
  return {{key, nullptr}, {"reason", reason}};
}

ordered_json RankingJson(const std::optional<operators::link::LinkRanking>& ranking,
                         const std::string& reason) {
  if (ranking) return {{"ap", ranking->ap}, {"auc", ranking->auc}};
  ordered_json json = Null("ap", reason);
  json["auc"] = nullptr;
  return json;
}

// Of the first events of a pass that learns.
ordered_json FirstJson(const LinkFigures& figures) {
  const std::string none = "none of the first events has such a negative";
  return {{"random", RankingJson(figures.first_random, none)},
          {"seen", RankingJson(figures.first_seen, none)},
          {"historical", RankingJson(figures.first_historical, none)}};
}

ordered_json CalibrationJson(const LinkFigures& figures) {
  if (!figures.calibration_error) return Null("ece", "the scores are not probabilities");
  ordered_json bins = ordered_json::array();
  for (const operators::learn::ReliabilityBin& bin : figures.reliability)
    bins.push_back(
        {{"count", bin.count}, {"probability", bin.probability}, {"happened", bin.happened}});
  return {{"ece", *figures.calibration_error}, {"bins", bins}};
}

// The figures beside those of random negatives.
void AddQuestions(const LinkFigures& figures, const LinkEvaluationOptions& options,
                  ordered_json& json) {
  json["seen"] = RankingJson(figures.seen, "no test event has a target that occurred before it");
  json["historical"] =
      RankingJson(figures.historical, "no source of a test event had another target before it");
  json["mrr"] = {{"candidates", operators::link::kRankCandidates},
                 {"events_at_most", options.ranked_events}};
  if (figures.mean_reciprocal_rank) {
    json["mrr"]["value"] = *figures.mean_reciprocal_rank;
  } else {
    json["mrr"].update(Null("value", options.ranked_events == 0
                                         ? "left out by --mrr-events 0"
                                         : "no test event has a candidate to stand against"));
  }
  json["coverage"] = {{"asked", operators::link::kCoverage}};
  if (figures.coverage) {
    json["coverage"].update({{"held", figures.coverage->held},
                             {"set_size", figures.coverage->set_size},
                             {"events", figures.coverage->events}});
  } else {
    json["coverage"].update(Null("held", "no ranked event has enough test events before it"));
    json["coverage"]["set_size"] = nullptr;
  }
  json["calibration"] = CalibrationJson(figures);
  if (options.online) json["first"] = FirstJson(figures);
}

ordered_json BatchMean(const LinkFigures& figures) {
  return figures.has_batches ? ordered_json(figures.ap_batch_mean) : ordered_json(nullptr);
}

ordered_json TestJson(const LinkFigures& figures, const LinkEvaluationOptions& options) {
  ordered_json random = {
      {"ap", figures.ap}, {"ap_batch_mean", BatchMean(figures)}, {"auc", figures.auc}};
  if (figures.ap_by_seed.size() > 1) {
    random["ap_stddev"] = figures.ap_stddev;
  } else {
    random.update(Null("ap_stddev", "one seed has no deviation"));
  }
  random["ap_by_seed"] = figures.ap_by_seed;
  ordered_json json = {{"random", random}};
  AddQuestions(figures, options, json);
  return json;
}

ordered_json InductiveJson(const LinkEvaluationOptions& options,
                           const LinkEvaluationResult& result) {
  const LinkFigures& figures = result.inductive;
  if (figures.valid) return {{"random", {{"ap", figures.ap}, {"auc", figures.auc}}}};
  ordered_json random = Null(
      "ap", options.inductive ? "no test event touches a hidden node, or none is left to train on"
                              : "left out by --no-inductive");
  random["auc"] = nullptr;
  return {{"random", random}};
}

ordered_json Rate(std::int64_t events, double seconds) {
  // A phase shorter than the clock's tick has no rate.
  return seconds > 0.0 ? ordered_json(static_cast<double>(events) / seconds)
                       : ordered_json(nullptr);
}

ordered_json CostJson(const LinkCost& cost, std::int64_t bytes_per_node) {
  ordered_json json = {
      {"train_events_per_cpu_second", Rate(cost.train_events, cost.train_cpu_seconds)},
      {"test_events_per_cpu_second", Rate(cost.test_events, cost.test_cpu_seconds)},
      {"train_cpu_seconds", cost.train_cpu_seconds},
      {"val_cpu_seconds", cost.val_cpu_seconds},
      {"test_cpu_seconds", cost.test_cpu_seconds},
      {"train_events", cost.train_events},
      {"val_events", cost.val_events},
      {"test_events", cost.test_events},
      {"peak_rss_bytes", cost.peak_rss_bytes},
      {"cache_bytes_per_node", bytes_per_node}};
  if (cost.online_events > 0) {
    json["online_events_per_cpu_second"] = Rate(cost.online_events, cost.online_cpu_seconds);
    json["reason"] = "nothing is trained or tested apart from the pass that learns";
    return json;
  }
  if (json["train_events_per_cpu_second"].is_null() ||
      json["test_events_per_cpu_second"].is_null()) {
    json["reason"] = "a phase took less than a tick of the process clock";
  }
  return json;
}

}  // namespace

ordered_json EvalLinksJson(const EvalLinksInput& input, const LinkEvaluationOptions& options,
                           const LinkEvaluationResult& result) {
  const graph::EventBatch& events = *input.events;
  ordered_json dims = ordered_json::object();
  for (const auto& [name, size] : result.dims) dims[name] = size;
  ordered_json baselines = ordered_json::object();
  for (const auto& [name, figures] : result.baselines) {
    baselines[name] = {
        {"random",
         {{"ap", figures.ap}, {"auc", figures.auc}, {"ap_batch_mean", BatchMean(figures)}}}};
    AddQuestions(figures, options, baselines[name]);
  }
  ordered_json json = {
      {"schema_version", 1},
      {"input", input.path},
      {"events", events.size()},
      {"nodes", input.nodes},
      {"model", result.model},
      {"parameters", result.parameters},
      {"dims", dims},
      {"seeds", options.seeds},
      {"epochs_run", *std::max_element(result.epochs_run.begin(), result.epochs_run.end())},
      {"epochs_run_by_seed", result.epochs_run},
      {"validation_ap", result.validation_ap},
      {"online", options.online},
      {"start", options.start.empty() ? "cold" : options.start},
      {"threads", options.threads},
      {"device", "host"},
      {"batch", options.batch},
      {"reads", operators::link::DescribeLinkReads(result.reads, options.batch)},
      {"replay", options.replay},
      {"split", SplitJson(events, result.split)},
      {"test", TestJson(result.test, options)},
      {"inductive", InductiveJson(options, result)},
      {"baselines", baselines},
      {"cost", CostJson(result.cost, result.bytes_per_node)}};
  return json;
}

}  // namespace weft::deploy
