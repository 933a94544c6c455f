// `weft bench accuracy`: the evaluation of docs/evaluation.md over every file of events in a
// folder.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <tbb/global_control.h>

#include "deploy/weft/bench.h"
#include "deploy/weft/command.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/suggestion.h"
#include "graph/text.h"
#include "operators/io/load_events.h"
#include "operators/link/link_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::link::LinkEvaluationResult;
using operators::link::LinkFigures;

struct EventSet {
  std::string name;
  std::string path;
};
struct SkippedFile {
  std::string file;
  std::string reason;
};

struct Figures {
  std::optional<double> random;
  std::optional<double> historical;
  std::optional<double> reciprocal_rank;
  std::optional<double> calibration_error;
};
struct ModelFigures {
  std::string name;
  Figures figures;
  // Events a CPU second; none for baselines.
  std::optional<double> training;
  std::optional<double> test;
};
struct SetFigures {
  std::string name;
  std::int64_t events = 0;
  std::int64_t nodes = 0;
  std::vector<ModelFigures> models;     // in the order of --models
  std::vector<ModelFigures> baselines;  // recency, edgebank, edgebank_window
};

Figures FiguresOf(const LinkFigures& figures) {
  Figures kept;
  if (figures.valid) kept.random = figures.ap;
  if (figures.historical) kept.historical = figures.historical->ap;
  kept.reciprocal_rank = figures.mean_reciprocal_rank;
  kept.calibration_error = figures.calibration_error;
  return kept;
}

std::optional<double> Rate(std::int64_t events, double seconds) {
  return seconds > 0.0 ? std::optional(static_cast<double>(events) / seconds) : std::nullopt;
}

// The better of two; of calibration errors the smaller.
Figures BetterOf(const Figures& a, const Figures& b) {
  Figures better;
  better.random = std::max(a.random, b.random);
  better.historical = std::max(a.historical, b.historical);
  better.reciprocal_rank = std::max(a.reciprocal_rank, b.reciprocal_rank);
  better.calibration_error = std::min(a.calibration_error, b.calibration_error);
  return better;
}

ordered_json NumberOrNull(std::optional<double> value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json ModelsJson(const std::vector<ModelFigures>& models) {
  ordered_json json = ordered_json::object();
  for (const ModelFigures& model : models) {
    json[model.name] = {{"random_ap", NumberOrNull(model.figures.random)},
                        {"historical_ap", NumberOrNull(model.figures.historical)},
                        {"mrr", NumberOrNull(model.figures.reciprocal_rank)},
                        {"ece", NumberOrNull(model.figures.calibration_error)}};
    if (!model.training && !model.test) continue;
    json[model.name]["train_events_per_cpu_second"] = NumberOrNull(model.training);
    json[model.name]["test_events_per_cpu_second"] = NumberOrNull(model.test);
  }
  return json;
}

// ".983 / .980 / .718 / .017", without the last one where it is not asked for.
std::string FiguresText(const Figures& figures, bool calibration) {
  std::vector<std::optional<double>> values = {figures.random, figures.historical,
                                               figures.reciprocal_rank};
  if (calibration) values.push_back(figures.calibration_error);
  std::string text;
  for (const std::optional<double>& value : values) {
    char number[16] = "–";
    if (value) std::snprintf(number, sizeof(number), "%.3f", *value);
    if (!text.empty()) text += " / ";
    text += number[0] == '0' ? number + 1 : number;
  }
  return text;
}

std::string RateText(std::optional<double> rate) {
  if (!rate) return "–";
  return graph::Concat(static_cast<std::int64_t>(*rate / 1e3), " k");
}

// Columns behind the name of the set.
std::vector<std::string> Heads(const SetFigures& set) {
  std::vector<std::string> heads = {"events"};
  for (const ModelFigures& model : set.models) heads.push_back(graph::Concat("`", model.name, "`"));
  heads.insert(heads.end(), {"`recency`", "EdgeBank"});
  for (const ModelFigures& model : set.models)
    heads.push_back(graph::Concat("training, test of `", model.name, "`"));
  return heads;
}
std::vector<std::string> Cells(const SetFigures& set) {
  std::vector<std::string> cells = {graph::Concat(set.events)};
  for (const ModelFigures& model : set.models) cells.push_back(FiguresText(model.figures, true));
  cells.push_back(FiguresText(set.baselines[0].figures, false));
  cells.push_back(FiguresText(BetterOf(set.baselines[1].figures, set.baselines[2].figures), false));
  for (const ModelFigures& model : set.models)
    cells.push_back(graph::Concat(RateText(model.training), ", ", RateText(model.test)));
  return cells;
}

// Means over the sets, of what all sets have.
SetFigures MeanOf(const std::vector<SetFigures>& sets) {
  SetFigures mean = sets[0];
  mean.name = "mean";
  const auto average = [&](auto value) {
    double sum = 0.0;
    for (const SetFigures& set : sets) {
      const std::optional<double> one = value(set);
      if (!one) return std::optional<double>();
      sum += *one;
    }
    return std::optional(sum / static_cast<double>(sets.size()));
  };
  const auto average_models = [&](std::vector<ModelFigures> SetFigures::*list) {
    for (std::size_t m = 0; m < (mean.*list).size(); ++m) {
      ModelFigures& to = (mean.*list)[m];
      const auto all = [&](std::optional<double> Figures::*figure) {
        return average([&](const SetFigures& set) { return (set.*list)[m].figures.*figure; });
      };
      to.figures = {all(&Figures::random), all(&Figures::historical),
                    all(&Figures::reciprocal_rank), all(&Figures::calibration_error)};
      to.training = average([&](const SetFigures& set) { return (set.*list)[m].training; });
      to.test = average([&](const SetFigures& set) { return (set.*list)[m].test; });
    }
  };
  average_models(&SetFigures::models);
  average_models(&SetFigures::baselines);
  mean.events = mean.nodes = 0;
  for (const SetFigures& set : sets) {
    mean.events += set.events / static_cast<std::int64_t>(sets.size());
    mean.nodes += set.nodes / static_cast<std::int64_t>(sets.size());
  }
  return mean;
}

// A table of Markdown.
void PrintRow(const std::string& first, const std::vector<std::string>& cells) {
  std::printf("| %s |", first.c_str());
  for (const std::string& cell : cells) std::printf(" %s |", cell.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

// The folder's files of events by name; others go to `skipped` with the reason.
absl::StatusOr<std::vector<EventSet>> FindSets(const BenchFlags& flags,
                                               std::vector<SkippedFile>& skipped) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(flags.data, error))
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  if (error)
    return absl::NotFoundError(graph::Concat("--data: ", flags.data, ": ", error.message()));
  std::sort(files.begin(), files.end());
  std::vector<EventSet> sets;
  for (const std::filesystem::path& path : files) {
    const auto reader = operators::io::EventReader::Open(path, {});
    if (reader.ok())
      sets.push_back({path.stem(), path});
    else
      skipped.push_back({path.filename(), std::string(reader.status().message())});
  }
  if (flags.sets.empty()) {
    if (!sets.empty()) return sets;
    return absl::NotFoundError(graph::Concat("--data: expected CSV files of events in ", flags.data,
                                             ", got ", files.size(), " other CSV files"));
  }
  skipped.clear();
  std::vector<EventSet> wanted;
  std::vector<std::string_view> names;
  names.reserve(sets.size());
  for (const EventSet& set : sets) names.push_back(set.name);
  for (const std::string& name : flags.sets) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      return absl::NotFoundError(graph::Concat("--sets: ", flags.data,
                                               " has no file of events called ", name, ".csv",
                                               graph::DidYouMean(name, names)));
    wanted.push_back(sets[static_cast<std::size_t>(found - names.begin())]);
  }
  return wanted;
}

absl::StatusOr<SetFigures> Evaluate(const EventSet& set, const BenchFlags& flags,
                                    const std::string& note) {
  WEFT_ASSIGN(const operators::io::EventFile file, operators::io::LoadEvents(set.path, {}));
  SetFigures figures;
  figures.name = set.name;
  figures.events = file.events.size();
  figures.nodes = file.nodes.size();
  ProgressBar bar;
  for (const std::string& model : flags.models) {
    operators::link::LinkEvaluationOptions options;
    WEFT_ASSIGN(options.model, operators::link::FindLinkModel(model));
    options.epochs = flags.epochs;
    options.seeds = flags.seeds;
    options.reads = operators::link::LinkReads::kBeforeTime;
    options.inductive = false;
    options.ranked_events = flags.ranked_events;
    options.progress = [&](std::string_view phase, std::int64_t done, std::int64_t total) {
      bar.Show(graph::Concat(set.name, " (", note, "), ", model, ", ", phase), done, total);
    };
    WEFT_ASSIGN(const LinkEvaluationResult result,
                operators::link::EvaluateLinks(file.events, file.nodes.size(), options));
    figures.models.push_back({model, FiguresOf(result.test),
                              Rate(result.cost.train_events, result.cost.train_cpu_seconds),
                              Rate(result.cost.test_events, result.cost.test_cpu_seconds)});
    if (!figures.baselines.empty()) continue;
    for (const char* name : {"recency", "edgebank", "edgebank_window"}) {
      const auto found = std::find_if(result.baselines.begin(), result.baselines.end(),
                                      [&](const auto& baseline) { return baseline.first == name; });
      figures.baselines.push_back({name, FiguresOf(found->second), {}, {}});
    }
  }
  return figures;
}

int PrintJson(const BenchFlags& flags, const std::vector<SetFigures>& sets,
              const std::vector<SkippedFile>& skipped) {
  const auto json_of = [](const SetFigures& set) {
    return ordered_json{{"set", set.name},
                        {"events", set.events},
                        {"nodes", set.nodes},
                        {"models", ModelsJson(set.models)},
                        {"baselines", ModelsJson(set.baselines)}};
  };
  ordered_json all = ordered_json::array();
  for (const SetFigures& set : sets) all.push_back(json_of(set));
  ordered_json left_out = ordered_json::array();
  for (const SkippedFile& file : skipped)
    left_out.push_back({{"file", file.file}, {"reason", file.reason}});
  const SetFigures mean = MeanOf(sets);
  return PrintFigures(
      flags, "accuracy",
      {{"data", flags.data},
       {"reads", "before_time"},
       {"epochs", flags.epochs},
       {"seeds", flags.seeds},
       {"mrr_events_at_most", flags.ranked_events},
       {"sets", all},
       {"mean", {{"models", ModelsJson(mean.models)}, {"baselines", ModelsJson(mean.baselines)}}},
       {"skipped", left_out}});
}

}  // namespace

int BenchAccuracy(const BenchFlags& flags) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  for (const std::string& model : flags.models) {
    const auto factory = operators::link::FindLinkModel(model);
    if (!factory.ok()) return Fail(graph::Concat("--models: ", factory.status().message()), kUsage);
  }
  std::vector<SkippedFile> skipped;
  const auto sets = FindSets(flags, skipped);
  if (!sets.ok()) return FailOnInput(sets.status());
  for (const SkippedFile& file : skipped)
    std::fprintf(stderr, "weft: %s left out, it holds no events: %s\n", file.file.c_str(),
                 file.reason.c_str());
  std::vector<SetFigures> all;
  for (const EventSet& set : *sets) {
    const std::string note = graph::Concat(all.size() + 1, " of ", sets->size());
    auto figures = Evaluate(set, flags, note);
    if (!figures.ok())
      return FailOnInput(absl::Status(figures.status().code(),
                                      graph::Concat(set.path, ": ", figures.status().message())));
    all.push_back(*std::move(figures));
    if (flags.json) continue;
    if (all.size() == 1) {
      std::printf(
          "AP random / AP historical / MRR / ECE; before_time, %zu seeds; events of "
          "training and test a CPU second\n\n",
          flags.seeds.size());
      const std::vector<std::string> heads = Heads(all[0]);
      PrintRow("set", heads);
      PrintRow("---", std::vector<std::string>(heads.size(), "---"));
    }
    PrintRow(set.name, Cells(all.back()));
  }
  if (flags.json) return PrintJson(flags, all, skipped);
  PrintRow("mean", Cells(MeanOf(all)));
  return kOk;
}

}  // namespace weft::deploy
