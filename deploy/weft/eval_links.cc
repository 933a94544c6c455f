#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>

#include <tbb/global_control.h>

#include "absl/strings/str_join.h"
#include "deploy/weft/eval_command.h"
#include "deploy/weft/eval_links_json.h"
#include "deploy/weft/progress.h"
#include "graph/text.h"
#include "operators/link/link_evaluation.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string path;
  std::string model = "weft";
  std::int32_t epochs = 3;
  std::vector<std::uint64_t> seeds = {1};
  std::int32_t threads = 1;
  std::int32_t batch = 32;
  std::string reads;
  std::int64_t mrr_events = 1000;
  std::int32_t slots = 0;
  std::vector<std::string> without;
  std::string start;
  bool online = false;
  std::int32_t patience = 3;
  bool replay = false;
  bool no_inductive = false;
  bool json = false;
  InputFlags input;
};

// A column of the table, empty where there is nothing to say.
std::string Column(std::optional<double> figure) {
  char text[16] = "       -";
  if (figure) std::snprintf(text, sizeof(text), "  %6.4f", *figure);
  return text;
}

void PrintFigures(const std::string& name, const operators::link::LinkFigures& figures) {
  const auto known = [&figures](double figure) {
    return figures.valid ? std::optional(figure) : std::nullopt;
  };
  std::string line = Column(known(figures.ap)) +
                     Column(figures.has_batches ? known(figures.ap_batch_mean) : std::nullopt) +
                     Column(known(figures.auc));
  for (const auto* ranking : {&figures.seen, &figures.historical}) {
    line += " ";
    line += Column(*ranking ? std::optional((*ranking)->ap) : std::nullopt);
    line += Column(*ranking ? std::optional((*ranking)->auc) : std::nullopt);
  }
  line += " " + Column(figures.mean_reciprocal_rank) + Column(figures.calibration_error);
  const auto& coverage = figures.coverage;
  line += " " + Column(coverage ? std::optional(coverage->held) : std::nullopt);
  line += Column(coverage ? std::optional(coverage->set_size) : std::nullopt);
  std::printf("  %-15s%s\n", name.c_str(), line.c_str());
}

// The same columns, of the first events of a pass that learns.
void PrintFirst(const std::string& name, const operators::link::LinkFigures& figures) {
  std::string line;
  const auto add = [&line](const std::optional<operators::link::LinkRanking>& ranking) {
    line += Column(ranking ? std::optional(ranking->ap) : std::nullopt);
  };
  add(figures.first_random);
  line += Column(std::nullopt);
  line += Column(figures.first_random ? std::optional(figures.first_random->auc) : std::nullopt);
  for (const auto* ranking : {&figures.first_seen, &figures.first_historical}) {
    line += " ";
    add(*ranking);
    line += Column(*ranking ? std::optional((*ranking)->auc) : std::nullopt);
  }
  std::printf("  %-15s%s\n", name.c_str(), line.c_str());
}

void PrintTable(const Flags& flags, const operators::io::EventFile& file,
                const operators::link::LinkEvaluationResult& result) {
  std::printf("%s: %" PRId64 " events, %" PRId64 " nodes; train %" PRId64 ", validation %" PRId64
              ", test %" PRId64 "\n",
              flags.path.c_str(), file.events.size(), file.nodes.size(), result.split.validation,
              result.split.test - result.split.validation, result.split.end - result.split.test);
  std::printf("  %s; mean of %zu seeds\n",
              operators::link::DescribeLinkReads(result.reads, flags.batch).c_str(),
              flags.seeds.size());
  std::printf(
      "  negatives        random                    seen             historical"
      "                        sets that hold .9\n"
      "                       AP AP/step     AUC       AP     AUC       AP     AUC"
      "      MRR     ECE     held    size\n");
  PrintFigures(result.model, result.test);
  PrintFigures("  hidden nodes", result.inductive);
  for (const auto& [name, figures] : result.baselines) PrintFigures(name, figures);
  const auto& cost = result.cost;
  if (cost.online_events > 0) {
    std::printf("  first twentieth of the events\n");
    PrintFirst(result.model, result.test);
    for (const auto& [name, figures] : result.baselines) PrintFirst(name, figures);
    std::printf("  online: %.0f events a CPU second; peak %.0f MiB\n",
                static_cast<double>(cost.online_events) / std::max(cost.online_cpu_seconds, 1e-9),
                static_cast<double>(cost.peak_rss_bytes) / (1 << 20));
    return;
  }
  std::printf("  CPU seconds: train %.2f (%" PRId64 " events), validation %.2f, test %.2f (%" PRId64
              " events); peak %.0f MiB\n",
              cost.train_cpu_seconds, cost.train_events, cost.val_cpu_seconds,
              cost.test_cpu_seconds, cost.test_events,
              static_cast<double>(cost.peak_rss_bytes) / (1 << 20));
}

int Run(const Flags& flags) {
  const auto factory = operators::link::FindLinkModel(flags.model);
  if (!factory.ok()) return Fail(graph::Concat("--model: ", factory.status().message()), kUsage);
  std::optional<operators::link::LinkReads> reads;
  if (!flags.reads.empty()) {
    const auto parsed = operators::link::ParseLinkReads(flags.reads);
    if (!parsed.ok()) return Fail(graph::Concat("--reads: ", parsed.status().message()), kUsage);
    reads = *parsed;
  }
  if (flags.model != "weft" && (flags.slots != 0 || !flags.without.empty() || !flags.start.empty()))
    return Fail(graph::Concat(
                    "expected --slots, --without and --start with --model weft only, got --model ",
                    flags.model),
                kUsage);
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;

  operators::link::LinkEvaluationOptions options;
  options.model = *factory;
  options.epochs = flags.epochs;
  options.seeds = flags.seeds;
  options.batch = flags.batch;
  options.reads = reads;
  options.slots = flags.slots;
  options.without = flags.without;
  options.start = flags.start == "cold" ? "" : flags.start;
  options.online = flags.online;
  options.ranked_events = flags.mrr_events;
  options.threads = flags.threads;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(flags.threads));
  options.patience = flags.patience;
  options.replay = flags.replay;
  options.inductive = !flags.no_inductive;
  ProgressBar bar;
  options.progress = [&bar](std::string_view phase, std::int64_t done, std::int64_t total) {
    bar.Show(phase, done, total);
  };
  const auto result = operators::link::EvaluateLinks(file.events, file.nodes.size(), options);
  if (!result.ok()) return FailOnEvaluation(flags.path, result.status());
  if (flags.json) {
    const EvalLinksInput input{flags.path, file.nodes.size(), &file.events};
    std::printf("%s\n", EvalLinksJson(input, options, *result).dump().c_str());
  } else {
    PrintTable(flags, file, *result);
  }
  return kOk;
}

}  // namespace

void AddEvalLinks(Command eval, Invocation& invocation) {
  Command links = eval.AddCommand(
      "links",
      "Measure link prediction: 70/15/15 split by time, against random and harder negatives.",
      "weft eval links events.csv                                    # one seed, 3 epochs\n"
      "weft eval links events.csv --seeds 1,2,3,4,5 --json           # mean and deviation, as "
      "JSON\n"
      "weft eval links events.csv --model recency --no-inductive\n"
      "weft eval links events.csv --online --start warm              # as a service learns\n"
      "weft eval links events.csv --reads before_time                # no event of the same time "
      "is known\n"
      "weft eval links flights-20k.json --preset vega-flights");
  auto flags = std::make_shared<Flags>();
  links.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  links.AddOption("--model", flags->model,
                  graph::Concat("One of ", absl::StrJoin(operators::link::LinkModelNames(), ", ")));
  links.AddOption("--epochs", flags->epochs, "Passes over the train part").Between(1, 10'000);
  links.AddOption("--seeds", flags->seeds, "One run each, comma-separated").CommaSeparated();
  links.AddOption("--threads", flags->threads, "For kernels").Between(1, 1024);
  links.AddOption("--reads", flags->reads,
                  "What a score knows: before_time (all strictly earlier times), before_event "
                  "(all earlier events) or before_batch (all before its batch); default: as the "
                  "model has it");
  links
      .AddOption("--mrr-events", flags->mrr_events,
                 "Test events to rank among 100 candidates, at most")
      .Between(0, 1'000'000'000);
  links
      .AddOption("--slots", flags->slots, "Partners that weft remembers of a node, a multiple of 8")
      .Between(8, 64);
  links
      .AddOption("--without", flags->without,
                 "Groups of columns that weft must do without, to see what they are worth")
      .CommaSeparated();
  links.AddFlag("--online", flags->online,
                "One pass over the whole file that scores each event and then learns from it, as "
                "a service does; no epochs");
  links.AddOption("--start", flags->start,
                  "Where weft's weights come from: cold, warm (those that come with the "
                  "program) or a model file; cold unless given");
  links.AddOption("--batch", flags->batch, "Events that read the same state in before_batch")
      .Between(1, 65'536);
  links.AddOption("--patience", flags->patience, "Epochs without gain before stopping")
      .Between(1, 10'000);
  links.AddFlag("--replay", flags->replay,
                "Stream the past again with the final weights before the test");
  links.AddFlag("--no-inductive", flags->no_inductive, "Leave the run with hidden nodes out");
  links.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(links, flags->input);
  links.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
