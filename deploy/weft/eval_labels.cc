#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/label_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::link::LabelEvaluationOptions;
using operators::link::LabelEvaluationResult;
using operators::link::LabelFigures;
using operators::link::LabelPart;
using operators::link::LabelRule;

struct Flags {
  std::string path;
  std::string column = "label";
  std::optional<float> above, below, equal;
  bool no_features = false;
  std::int32_t epochs = 5;
  std::vector<std::uint64_t> seeds = {1};
  std::int32_t batch = 32;
  std::string reads = "before_time";
  bool json = false;
  InputFlags input;
};

absl::StatusOr<LabelRule> RuleFrom(const Flags& flags) {
  LabelRule rule;
  if (flags.column != "label") {
    char rest = 0;
    if (std::sscanf(flags.column.c_str(), "f%d%c", &rule.feature, &rest) != 1 || rule.feature < 0)
      return absl::InvalidArgumentError(
          graph::Concat("--column: expected label or a feature f0, f1, ..., got ", flags.column));
  }
  rule.value = flags.above.value_or(0.0f);
  if (flags.below) {
    rule.side = LabelRule::Side::kBelow;
    rule.value = *flags.below;
  } else if (flags.equal) {
    rule.side = LabelRule::Side::kEqual;
    rule.value = *flags.equal;
  }
  return rule;
}

ordered_json FiguresJson(const LabelFigures& figures) {
  return {{"ap", figures.ap},
          {"auc", figures.auc},
          {"log_loss", figures.log_loss},
          {"ece", figures.calibration_error}};
}

ordered_json PositivesJson(const LabelPart& part) {
  return {{"positives", part.positives},
          {"rate", static_cast<double>(part.positives) / static_cast<double>(part.events)}};
}

ordered_json ResultJson(const Flags& flags, const operators::io::EventFile& file,
                        const LabelEvaluationOptions& options,
                        const LabelEvaluationResult& result) {
  ordered_json features = ordered_json::array();
  for (const std::int32_t feature : result.features)
    features.push_back(graph::Concat("f", feature));
  ordered_json split = SplitJson(file.events, result.split);
  split["train"].update(PositivesJson(result.train));
  split["val"].update(PositivesJson(result.validation));
  split["test"].update(PositivesJson(result.test));
  ordered_json test = FiguresJson(result.figures);
  test["ap_by_seed"] = result.ap_by_seed;
  test["ap_stddev"] = nullptr;
  if (options.seeds.size() > 1) {
    test["ap_stddev"] = result.ap_stddev;
  } else {
    test["reason"] = "one seed has no deviation";
  }
  ordered_json baselines = ordered_json::object();
  for (const auto& baseline : result.baselines) {
    baselines[baseline.name] = FiguresJson(baseline.figures);
    if (baseline.prior > 0.0) baselines[baseline.name]["prior_events"] = baseline.prior;
  }
  return {{"schema_version", 1},
          {"input", flags.path},
          {"events", file.events.size()},
          {"nodes", file.nodes.size()},
          {"positive", operators::link::DescribeLabelRule(options.rule)},
          {"features", features},
          {"columns", result.columns},
          {"parameters", result.parameters},
          {"seeds", options.seeds},
          {"epochs", options.epochs},
          {"best_epoch_by_seed", result.best_epoch},
          {"validation_log_loss", result.validation_loss},
          {"reads", operators::link::DescribeLinkReads(options.reads, options.batch)},
          {"split", split},
          {"test", test},
          {"baselines", baselines},
          {"cost",
           {{"read_cpu_seconds", result.read_cpu_seconds},
            {"learn_cpu_seconds", result.learn_cpu_seconds}}}};
}

void PrintFigures(const std::string& name, const LabelFigures& figures) {
  std::printf("  %-12s  %6.4f  %6.4f    %6.4f  %6.4f\n", name.c_str(), figures.ap, figures.auc,
              figures.log_loss, figures.calibration_error);
}

void PrintTable(const Flags& flags, const LabelEvaluationOptions& options,
                const LabelEvaluationResult& result) {
  std::printf(
      "%s: %s in %" PRId64 " of %" PRId64 " train events, %" PRId64 " of %" PRId64 " test events\n",
      flags.path.c_str(), operators::link::DescribeLabelRule(options.rule).c_str(),
      result.train.positives, result.train.events, result.test.positives, result.test.events);
  std::printf("  %s, %zu features of the event itself; mean of %zu seeds\n",
              operators::link::DescribeLinkReads(options.reads, options.batch).c_str(),
              result.features.size(), options.seeds.size());
  std::printf("                    AP     AUC  log loss     ECE\n");
  PrintFigures("weft", result.figures);
  for (const auto& baseline : result.baselines) PrintFigures(baseline.name, baseline.figures);
}

int Run(const Flags& flags) {
  LabelEvaluationOptions options;
  const auto rule = RuleFrom(flags);
  if (!rule.ok()) return Fail(rule.status(), kUsage);
  options.rule = *rule;
  const auto reads = operators::link::ParseLinkReads(flags.reads);
  if (!reads.ok()) return Fail(graph::Concat("--reads: ", reads.status().message()), kUsage);
  options.reads = *reads;
  options.features = !flags.no_features;
  options.batch = flags.batch;
  options.epochs = flags.epochs;
  options.seeds = flags.seeds;
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;
  ProgressBar bar;
  options.progress = [&bar](std::string_view phase, std::int64_t done, std::int64_t total) {
    bar.Show(phase, done, total);
  };
  const auto result = operators::link::EvaluateLabels(file.events, file.nodes.size(), options);
  if (!result.ok()) return FailOnEvaluation(flags.path, result.status());
  if (flags.json) {
    std::printf("%s\n", ResultJson(flags, file, options, *result).dump().c_str());
  } else {
    PrintTable(flags, options, *result);
  }
  return kOk;
}

}  // namespace

void AddEvalLabels(Command eval, Invocation& invocation) {
  Command labels = eval.AddCommand(
      "labels",
      "Measure how well is told whether an event will be one of a kind: an attack, a ban, a bad "
      "rating.",
      "weft eval labels events.csv                                   # label > 0\n"
      "weft eval labels ratings.csv --column f0 --below 0            # a negative rating\n"
      "weft eval labels flows.csv --no-features --seeds 1,2,3 --json");
  auto flags = std::make_shared<Flags>();
  labels.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  labels.AddOption("--column", flags->column,
                   "What says whether an event is positive: label, or a feature f0, f1, ...");
  const Command side = labels.AddGroup("Positive", "Which values are positive; default: above 0");
  side.AddOption("--above", flags->above, "Those above");
  side.AddOption("--below", flags->below, "Those below");
  side.AddOption("--equal", flags->equal, "Those equal");
  side.RequireOptions(0, 1);
  labels.AddFlag("--no-features", flags->no_features,
                 "The event's own features are not known when it is scored");
  labels.AddOption("--epochs", flags->epochs, "Passes over the train part").Between(1, 10'000);
  labels.AddOption("--seeds", flags->seeds, "One run each, comma-separated").CommaSeparated();
  labels.AddOption("--reads", flags->reads,
                   "What a score knows of events and labels: before_time, before_event or "
                   "before_batch");
  labels.AddOption("--batch", flags->batch, "Events that read the same state in before_batch")
      .Between(1, 65'536);
  labels.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(labels, flags->input);
  labels.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
