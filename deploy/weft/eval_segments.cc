#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/graph_file.h"
#include "deploy/weft/snapshot_flags.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/hierarchy/segment_evaluation.h"
#include "operators/learn/process_cost.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::hierarchy::SegmentLevel;
using operators::hierarchy::SegmentMatch;
using operators::hierarchy::SegmentOptions;
using operators::hierarchy::SegmentResult;
using operators::hierarchy::TrueBoundary;

constexpr std::size_t kMaxTruthBytes = 64 << 20;

struct Flags {
  std::string path;
  std::string truth;
  SnapshotFlags snapshots;
  std::int64_t tolerance = 10;
  bool json = false;
  InputFlags input;
};

absl::StatusOr<SegmentOptions> OptionsFrom(const Flags& flags) {
  SegmentOptions options;
  WEFT_ASSIGN(options.snapshots, SnapshotOptionsFrom(flags.snapshots));
  options.leaf = LeafOptionsFrom(flags.snapshots);
  options.tolerance = flags.tolerance;
  return options;
}

ordered_json MatchJson(const std::optional<SegmentMatch>& match) {
  if (!match) return nullptr;
  return {{"boundaries", match->figures.found},
          {"f1", match->figures.f1},
          {"precision", match->figures.precision},
          {"recall", match->figures.recall},
          {"gebd_f1", match->gebd_f1}};
}

ordered_json LevelJson(const SegmentLevel& level) {
  ordered_json json = {{"level", level.level},
                       {"episodes", level.episodes},
                       {"mean_snapshots", level.mean_snapshots}};
  for (const char* name : {"f1", "precision", "recall", "gebd_f1"}) json[name] = nullptr;
  if (level.found) {
    json["true_boundaries"] = level.found->figures.truth;
    json.update(MatchJson(level.found));
    json.erase("boundaries");
  } else {
    json["reason"] = "no true boundary has this level";
  }
  return json;
}

ordered_json ResultJson(const Flags& flags, const operators::io::EventFile& file,
                        const SegmentResult& result) {
  ordered_json levels = ordered_json::array(), uniform = levels, random = levels, flat = levels;
  for (const SegmentLevel& level : result.levels) {
    levels.push_back(LevelJson(level));
    if (!level.found) continue;
    const auto add = [&level](ordered_json& to, const std::optional<SegmentMatch>& match) {
      ordered_json json = {{"level", level.level}};
      json.update(MatchJson(match));
      to.push_back(json);
    };
    add(uniform, level.uniform);
    add(random, level.random);
    if (level.flat) add(flat, level.flat);
  }
  const double snapshots = static_cast<double>(result.snapshots);
  const std::int64_t peak_rss_bytes = operators::learn::PeakResidentBytes();
  return {{"schema_version", 1},
          {"input", flags.path},
          {"events", file.events.size()},
          {"nodes", file.nodes.size()},
          {"snapshots", result.snapshots},
          {"levels", levels},
          {"baselines", {{"uniform", uniform}, {"random", random}, {"flat", flat}}},
          {"decision_latency_snapshots", result.decision_latency_snapshots},
          {"cost",
           {{"snapshots_per_cpu_second",
             result.cpu_seconds > 0.0 ? ordered_json(snapshots / result.cpu_seconds) : nullptr},
            {"peak_rss_bytes", peak_rss_bytes},
            {"bytes_per_snapshot", static_cast<double>(peak_rss_bytes) / snapshots}}}};
}

void PrintTable(const Flags& flags, const SegmentResult& result) {
  std::printf("%s: %" PRId64 " snapshots of %s, boundaries known %.1f snapshots later\n",
              flags.path.c_str(), result.snapshots, flags.snapshots.width.c_str(),
              result.decision_latency_snapshots);
  std::printf("  level  episodes  snapshots each    f1  uniform  random   flat\n");
  for (const SegmentLevel& level : result.levels) {
    std::printf("  %5d  %8" PRId64 "  %14.1f", level.level, level.episodes, level.mean_snapshots);
    for (const auto* match : {&level.found, &level.uniform, &level.random, &level.flat}) {
      if (*match) {
        std::printf("  %.3f", (*match)->figures.f1);
      } else {
        std::printf("      -");
      }
    }
    std::printf("\n");
  }
}

int Run(const Flags& flags) {
  const auto options = OptionsFrom(flags);
  if (!options.ok()) return Fail(options.status(), kUsage);
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;
  if (file.events.size() == 0) return Fail(flags.path + ": expected events, got none", kInputData);
  std::vector<TrueBoundary> truth;
  if (!flags.truth.empty()) {
    const auto text = ReadTextFile(flags.truth, kMaxTruthBytes);
    if (!text.ok()) return FailOnInput(text.status());
    const auto unit = operators::io::ParseTimeUnit(flags.input.time_unit)
                          .value_or(operators::io::TimeUnit::kSeconds);
    auto parsed = operators::hierarchy::ParseTruth(*text, flags.truth, unit);
    if (!parsed.ok()) return FailOnInput(parsed.status());
    truth = *std::move(parsed);
  }
  const SegmentResult result = operators::hierarchy::EvaluateSegments(file.events, truth, *options);
  if (flags.json) {
    std::printf("%s\n", ResultJson(flags, file, result).dump().c_str());
  } else {
    PrintTable(flags, result);
  }
  return kOk;
}

}  // namespace

void AddEvalSegments(Command eval, Invocation& invocation) {
  const Command segments = eval.AddCommand(
      "segments", "Cut a stream into a hierarchy of episodes, and compare it with known ones.",
      "weft eval segments events.csv --snapshot 1s                     # levels and counts\n"
      "weft eval segments events.csv --truth truth.csv --tolerance 10 --json\n"
      "weft eval segments gaze.csv --snapshot 333333us --window 24 --quantile 0.8");
  auto flags = std::make_shared<Flags>();
  segments.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  segments.AddOption("--truth", flags->truth,
                     "CSV with the columns time and level: 1 is fine, 2 coarse");
  AddSnapshotFlags(segments, flags->snapshots);
  segments
      .AddOption("--tolerance", flags->tolerance,
                 "Snapshots that a boundary of level 1 may be off; of level n, n times that (10)")
      .Between(0L, 1'000'000L);
  segments.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(segments, flags->input);
  segments.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
