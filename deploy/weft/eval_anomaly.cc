#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/labelled_series.h"
#include "operators/learn/process_cost.h"
#include "operators/sequence/anomaly_ensemble.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::sequence::AnomalyEnsemble;
using operators::sequence::AnomalyExpert;
using operators::sequence::CountDetections;
using operators::sequence::DetectorFigures;
using operators::sequence::DetectorKind;
using operators::sequence::DetectorNamed;
using operators::sequence::DetectorScores;
using operators::sequence::EvaluateDetector;
using operators::sequence::ExpertNames;
using operators::sequence::ExpertSet;
using operators::sequence::ExpertsNamed;
using operators::sequence::kAnomalyExperts;
using operators::sequence::kDetectorBaselines;
using operators::sequence::kNabProfiles;
using operators::sequence::NamedSeries;
using operators::sequence::NameOf;
using operators::sequence::RunDetector;

struct Flags {
  std::string folder, labels;
  std::string model = "weft";
  std::vector<std::uint64_t> seeds = {0};
  std::vector<std::string> without;
  bool json = false;
};

ordered_json FiguresJson(const DetectorFigures& figures) {
  ordered_json json;
  for (std::size_t p = 0; p < kNabProfiles.size(); ++p)
    json[std::string(kNabProfiles[p].name)] = figures.nab[p].score;
  json["vus_pr"] = figures.volume_under_surface;
  json["composite_f1"] = figures.composite_f1;
  return json;
}

// A detector over all series, with one seed.
struct Run {
  std::vector<DetectorScores> scores;
  DetectorFigures figures;
};

Run RunAll(DetectorKind kind, const std::vector<NamedSeries>& series, std::uint64_t seed,
           ExpertSet without = {}) {
  Run run;
  for (const NamedSeries& one : series) run.scores.push_back(RunDetector(kind, one, seed, without));
  run.figures = EvaluateDetector(series, run.scores, AnomalyEnsemble::kAlarm);
  return run;
}

// The mean of several runs; thresholds of the first.
DetectorFigures MeanOf(const std::vector<Run>& runs) {
  DetectorFigures mean = runs.front().figures;
  const auto count = static_cast<double>(runs.size());
  const auto average = [&](auto get) {
    double sum = 0.0;
    for (const Run& run : runs) sum += get(run.figures);
    return sum / count;
  };
  for (std::size_t p = 0; p < mean.nab.size(); ++p)
    mean.nab[p].score = average([p](const auto& one) { return one.nab[p].score; });
  mean.standard_at_fixed = average([](const auto& one) { return one.standard_at_fixed; });
  mean.volume_under_surface = average([](const auto& one) { return one.volume_under_surface; });
  mean.composite_f1 = average([](const auto& one) { return one.composite_f1; });
  return mean;
}

void PrintRow(std::string_view name, const DetectorFigures& figures) {
  std::printf("  %-18s", std::string(name).c_str());
  for (const auto& nab : figures.nab) std::printf(" %8.2f", nab.score);
  std::printf("   %.3f    %.3f\n", figures.volume_under_surface, figures.composite_f1);
}

struct Cost {
  std::int64_t records = 0;
  double seconds = 0.0, init_seconds = 0.0;
  std::size_t bytes = 0;
};

ordered_json CostJson(const Cost& cost) {
  return {{"records_per_cpu_second", static_cast<double>(cost.records) / cost.seconds},
          {"init_seconds", cost.init_seconds},
          {"bytes_per_series", cost.bytes},
          {"peak_rss_bytes", operators::learn::PeakResidentBytes()}};
}

Cost CostOf(const std::vector<Run>& runs, const std::vector<NamedSeries>& series, double seconds) {
  Cost cost;
  cost.seconds = seconds;
  for (const Run& run : runs)
    for (const DetectorScores& scores : run.scores) {
      cost.records += static_cast<std::int64_t>(scores.score.size());
      cost.bytes = std::max(cost.bytes, scores.bytes);
      cost.init_seconds += scores.init_seconds / static_cast<double>(series.size() * runs.size());
    }
  return cost;
}

ordered_json FilesJson(const std::vector<NamedSeries>& series, const Run& run) {
  ordered_json files = ordered_json::array();
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto counted =
        CountDetections(series[i], run.scores[i].alarm, run.figures.nab[0].threshold);
    files.push_back({{"file", series[i].name},
                     {"records", series[i].value.size()},
                     {"windows", series[i].windows.size()},
                     {"detected", counted.detected},
                     {"false_positives", counted.false_positives}});
  }
  return files;
}

int Evaluate(const Flags& flags) {
  const auto kind = DetectorNamed(flags.model);
  const std::string labels =
      flags.labels.empty()
          ? (std::filesystem::path(flags.folder) / ".." / "labels" / "combined_windows.json")
                .string()
          : flags.labels;
  const auto windows = LoadWindows(labels);
  if (!windows.ok()) return FailOnInput(windows.status());
  const auto series = LoadLabelledSeries(flags.folder, *windows);
  if (!series.ok()) return FailOnInput(series.status());
  std::vector<Run> runs;
  const double begin = operators::learn::ProcessCpuSeconds();
  const auto without = ExpertsNamed<AnomalyExpert>(flags.without, kAnomalyExperts);
  for (const std::uint64_t seed : flags.seeds)
    runs.push_back(RunAll(*kind, *series, seed, without));
  const Cost cost = CostOf(runs, *series, operators::learn::ProcessCpuSeconds() - begin);
  const DetectorFigures figures = MeanOf(runs);
  std::int64_t records = 0;
  for (const NamedSeries& one : *series) records += static_cast<std::int64_t>(one.value.size());
  ordered_json baselines;
  if (!flags.json) {
    std::printf("%zu files, %" PRId64 " records\n", series->size(), records);
    std::printf("                     standard   low FP   low FN   VUS-PR   composite F1\n");
    PrintRow(flags.model, figures);
  }
  for (const DetectorKind baseline : kDetectorBaselines) {
    const Run run = RunAll(baseline, *series, 0);
    baselines[std::string(NameOf(baseline))] = FiguresJson(run.figures);
    if (!flags.json) PrintRow(NameOf(baseline), run.figures);
  }
  if (!flags.json) {
    std::printf("threshold %.4f (standard %.2f with %.4f, the same for every file)\n",
                figures.nab[0].threshold, figures.standard_at_fixed, AnomalyEnsemble::kAlarm);
    return kOk;
  }
  const ordered_json scores = FiguresJson(figures);
  ordered_json profiles;
  for (const auto& profile : kNabProfiles)
    profiles[std::string(profile.name)] = scores[std::string(profile.name)];
  const ordered_json object = {{"schema_version", 1},
                               {"files", series->size()},
                               {"records", records},
                               {"model", flags.model},
                               {"seeds", flags.seeds},
                               {"without", flags.without},
                               {"threshold", figures.nab[0].threshold},
                               {"profiles", profiles},
                               {"fixed_threshold", AnomalyEnsemble::kAlarm},
                               {"standard_at_fixed_threshold", figures.standard_at_fixed},
                               {"vus_pr", figures.volume_under_surface},
                               {"composite_f1", figures.composite_f1},
                               {"baselines", baselines},
                               {"per_file", FilesJson(*series, runs.front())},
                               {"cost", CostJson(cost)}};
  std::printf("%s\n", object.dump().c_str());
  return kOk;
}

}  // namespace

void AddEvalAnomaly(Command eval, Invocation& invocation) {
  const Command anomaly = eval.AddCommand(
      "anomaly", "How well anomalies of labelled series are found, as NAB scores it.",
      "weft eval anomaly nab/data --labels nab/labels/combined_windows.json\n"
      "weft eval anomaly nab/data --model htm --seeds 0,1,2 --json   # docs/json/eval_anomaly");
  auto flags = std::make_shared<Flags>();
  anomaly.AddOption("DIR", flags->folder, "Folder of CSV files with a timestamp and a value")
      .Required();
  anomaly.AddOption("--labels", flags->labels,
                    "JSON of anomalous windows by file (DIR/../labels/combined_windows.json)");
  anomaly.AddOption("--model", flags->model, "weft, htm or a baseline (weft)")
      .OneOf({"weft", "htm", "null", "random", "windowed_gaussian", "zscore", "every_600"});
  anomaly.AddOption("--seeds", flags->seeds, "Of htm and random, comma-separated: the mean (0)")
      .CommaSeparated();
  anomaly
      .AddOption("--without", flags->without,
                 "Experts that weft must do without, comma-separated, to see what they are worth")
      .OneOf(ExpertNames<AnomalyExpert>(kAnomalyExperts))
      .CommaSeparated();
  anomaly.AddFlag("--json", flags->json, "One JSON object on stdout");
  anomaly.Runs(invocation, [flags] { return Evaluate(*flags); });
}

}  // namespace weft::deploy
