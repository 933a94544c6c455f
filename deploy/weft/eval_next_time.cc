#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/next_time_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::link::NextTimeFigures;
using operators::link::NextTimeOptions;
using operators::link::NextTimePart;
using operators::link::NextTimeResult;

struct Flags {
  std::string path;
  std::string of = "node";
  std::int32_t bins = 32;
  std::int32_t epochs = 5;
  std::vector<std::uint64_t> seeds = {1};
  bool json = false;
  InputFlags input;
};

ordered_json FiguresJson(const NextTimeFigures& figures) {
  return {{"log_likelihood", figures.log_likelihood},
          {"median_error_log10", figures.median_error_log10}};
}

ordered_json QuestionsJson(const NextTimePart& part) {
  return {{"questions", part.questions}, {"ended", part.ended}};
}

ordered_json ResultJson(const Flags& flags, const operators::io::EventFile& file,
                        const NextTimeOptions& options, const NextTimeResult& result) {
  ordered_json split = SplitJson(file.events, result.split);
  split["train"].update(QuestionsJson(result.train));
  split["val"].update(QuestionsJson(result.validation));
  split["test"].update(QuestionsJson(result.test));
  ordered_json test = FiguresJson(result.figures);
  test["log_likelihood_by_seed"] = result.log_likelihood_by_seed;
  test["log_likelihood_stddev"] = nullptr;
  if (options.seeds.size() > 1) {
    test["log_likelihood_stddev"] = result.log_likelihood_stddev;
  } else {
    test["reason"] = "one seed has no deviation";
  }
  ordered_json baselines = ordered_json::object();
  for (const auto& baseline : result.baselines) {
    baselines[baseline.name] = FiguresJson(baseline.figures);
    if (baseline.prior > 0.0) baselines[baseline.name]["prior_waits"] = baseline.prior;
  }
  return {{"schema_version", 1},
          {"input", flags.path},
          {"events", file.events.size()},
          {"nodes", file.nodes.size()},
          {"of", flags.of},
          {"bin_edges_seconds", result.edges},
          {"columns", result.columns},
          {"parameters", result.parameters},
          {"seeds", options.seeds},
          {"epochs", options.epochs},
          {"best_epoch_by_seed", result.best_epoch},
          {"validation_loss", result.validation_loss},
          {"split", split},
          {"test", test},
          {"baselines", baselines},
          {"cost",
           {{"read_cpu_seconds", result.read_cpu_seconds},
            {"learn_cpu_seconds", result.learn_cpu_seconds}}}};
}

void PrintFigures(const std::string& name, const NextTimeFigures& figures) {
  std::printf("  %-12s  %8.4f  %12.3f\n", name.c_str(), figures.log_likelihood,
              figures.median_error_log10);
}

void PrintTable(const Flags& flags, const NextTimeOptions& options, const NextTimeResult& result) {
  std::printf("%s: the next time of each %s; %" PRId64 " train questions, %" PRId64
              " test questions, of which %" PRId64 " waits ended\n",
              flags.path.c_str(), flags.of == "pair" ? "pair" : "source", result.train.questions,
              result.test.questions, result.test.ended);
  std::printf("  log probability of %zu bins; mean of %zu seeds\n", result.edges.size() + 1,
              options.seeds.size());
  std::printf("                   log p  error, log10\n");
  PrintFigures("weft", result.figures);
  for (const auto& baseline : result.baselines) PrintFigures(baseline.name, baseline.figures);
}

int Run(const Flags& flags) {
  NextTimeOptions options;
  options.of_pair = flags.of == "pair";
  options.bins = flags.bins;
  options.epochs = flags.epochs;
  options.seeds = flags.seeds;
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;
  ProgressBar bar;
  options.progress = [&bar](std::string_view phase, std::int64_t done, std::int64_t total) {
    bar.Show(phase, done, total);
  };
  const auto result = operators::link::EvaluateNextTime(file.events, file.nodes.size(), options);
  if (!result.ok()) return FailOnEvaluation(flags.path, result.status());
  if (flags.json) {
    std::printf("%s\n", ResultJson(flags, file, options, *result).dump().c_str());
  } else {
    PrintTable(flags, options, *result);
  }
  return kOk;
}

}  // namespace

void AddEvalNextTime(Command eval, Invocation& invocation) {
  Command next_time = eval.AddCommand(
      "next_time", "Measure how well is told when a source, or a pair, has its next event.",
      "weft eval next_time events.csv                      # when the source sends again\n"
      "weft eval next_time events.csv --of pair --seeds 1,2,3 --json");
  auto flags = std::make_shared<Flags>();
  next_time.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  next_time.AddOption("--of", flags->of, "Whose next event: node (the source) or pair")
      .OneOf({"node", "pair"});
  next_time.AddOption("--bins", flags->bins, "Bins of the predicted distribution").Between(2, 256);
  next_time.AddOption("--epochs", flags->epochs, "Passes over the train part").Between(1, 10'000);
  next_time.AddOption("--seeds", flags->seeds, "One run each, comma-separated").CommaSeparated();
  next_time.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(next_time, flags->input);
  next_time.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
