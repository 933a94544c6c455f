#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/snapshot_flags.h"
#include "deploy/weft/text_file.h"
#include "operators/hierarchy/forecast_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::hierarchy::EndFigures;
using operators::hierarchy::ForecastLevel;
using operators::hierarchy::ForecastOptions;
using operators::hierarchy::ForecastRecord;
using operators::hierarchy::ForecastResult;
using operators::hierarchy::HazardFigures;

struct Flags {
  std::string path;
  SnapshotFlags snapshots;
  std::string horizon = "30s";
  std::int64_t every = 16;
  std::string forecasts;
  bool json = false;
  InputFlags input;
};

ordered_json EndJson(const EndFigures& figures) {
  return {{"coverage", figures.coverage}, {"pinball_seconds", figures.pinball_seconds}};
}

ordered_json HazardJson(const HazardFigures& figures) {
  ordered_json json = {{"log_loss", figures.log_loss}, {"auroc", nullptr}};
  if (figures.auroc) {
    json["auroc"] = *figures.auroc;
  } else {
    json["reason"] = "all episodes ended within the horizon, or none";
  }
  return json;
}

ordered_json LevelJson(const ForecastLevel& level) {
  return {
      {"level", level.level},
      {"episodes", level.episodes},
      {"forecasts", level.forecasts},
      {"end", EndJson(level.by_age)},
      {"end_baselines",
       {{"unconditional", EndJson(level.unconditional)},
        {"memoryless", EndJson(level.memoryless)}}},
      {"ended_within", level.ended_within},
      {"hazard",
       {{"counted", HazardJson(level.counted)},
        {"hierarchy", HazardJson(level.hierarchy)},
        {"both", HazardJson(level.both)},
        {"relational", level.has_relational ? HazardJson(level.relational) : ordered_json()}}},
      {"hazard_baselines",
       {{"fixed", HazardJson(level.fixed)}, {"windows", HazardJson(level.windows)}}},
      {"next", {{"forecasts", level.next_forecasts}, {"by_precedents", level.next_by_precedents}}},
      {"next_baselines",
       {{"as_before", level.next_as_before}, {"as_overall", level.next_as_overall}}}};
}

void PrintTable(const Flags& flags, const ForecastResult& result) {
  std::printf("%s: %" PRId64 " snapshots; ends of open episodes, foretold every %" PRId64
              " snapshots\n",
              flags.path.c_str(), result.snapshots, flags.every);
  std::printf("  level episodes  covered (.8)  pinball s: age  any age  memoryless\n");
  for (const ForecastLevel& level : result.levels)
    std::printf("  %5d %8" PRId64 "  %12.3f  %14.2f  %7.2f  %10.2f\n", level.level, level.episodes,
                level.by_age.coverage, level.by_age.pinball_seconds,
                level.unconditional.pinball_seconds, level.memoryless.pinball_seconds);
  std::printf("  ends within %s: log loss / AUROC\n", flags.horizon.c_str());
  std::printf(
      "  level   share    fixed          windows        counted        hierarchy      both"
      "           relational\n");
  for (const ForecastLevel& level : result.levels) {
    std::printf("  %5d  %.3f", level.level, level.ended_within);
    for (const HazardFigures& figures :
         {level.fixed, level.windows, level.counted, level.hierarchy, level.both})
      std::printf("  %.3f / %.3f", figures.log_loss, figures.auroc.value_or(0.5));
    if (level.has_relational)
      std::printf("  %.3f / %.3f", level.relational.log_loss, level.relational.auroc.value_or(0.5));
    std::printf("\n");
  }
  std::printf("  busiest of the next episode: precedents  as before  overall\n");
  for (const ForecastLevel& level : result.levels)
    if (level.next_forecasts > 0)
      std::printf("  %5d %19" PRId64 "  %9.3f  %9.3f  %7.3f\n", level.level, level.next_forecasts,
                  level.next_by_precedents, level.next_as_before, level.next_as_overall);
}

int WriteForecasts(const std::string& path, const ForecastResult& result) {
  return WriteTextFile(path, [&result](std::FILE* file) {
    std::fprintf(file,
                 "level,now_us,fixed,counted,windows,hierarchy,both,relational,ended_within\n");
    for (const ForecastRecord& record : result.records) {
      std::fprintf(file, "%d,%" PRId64, record.level, record.now_us);
      for (const double probability : record.ends_within) {
        if (probability < 0.0) {
          std::fputc(',', file);
        } else {
          std::fprintf(file, ",%.6f", probability);
        }
      }
      std::fprintf(file, ",%d\n", record.ended_within ? 1 : 0);
    }
  });
}

int Run(const Flags& flags) {
  ForecastOptions options;
  auto snapshots = SnapshotOptionsFrom(flags.snapshots);
  if (!snapshots.ok()) return Fail(snapshots.status(), kUsage);
  const auto horizon_us = DurationFlag("--horizon", flags.horizon);
  if (!horizon_us.ok()) return Fail(horizon_us.status(), kUsage);
  options.snapshots = *snapshots;
  options.leaf = LeafOptionsFrom(flags.snapshots);
  options.horizon_us = *horizon_us;
  options.every_snapshots = flags.every;
  options.records = !flags.forecasts.empty();
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;
  if (file.events.size() == 0) return Fail(flags.path + ": expected events, got none", kInputData);
  const ForecastResult result = operators::hierarchy::EvaluateForecasts(file.events, options);
  if (!flags.forecasts.empty())
    if (const int code = WriteForecasts(flags.forecasts, result); code != kOk) return code;
  if (!flags.json) {
    PrintTable(flags, result);
    return kOk;
  }
  ordered_json levels = ordered_json::array();
  for (const ForecastLevel& level : result.levels) levels.push_back(LevelJson(level));
  const ordered_json object = {{"schema_version", 1},
                               {"input", flags.path},
                               {"events", file.events.size()},
                               {"nodes", file.nodes.size()},
                               {"snapshots", result.snapshots},
                               {"horizon_us", *horizon_us},
                               {"levels", levels}};
  std::printf("%s\n", object.dump().c_str());
  return kOk;
}

}  // namespace

void AddEvalEpisodes(Command eval, Invocation& invocation) {
  const Command episodes = eval.AddCommand(
      "episodes", "How well the ends of episodes, and what follows them, are foretold.",
      "weft eval episodes events.csv --snapshot 1s --horizon 30s\n"
      "weft eval episodes events.csv --json                    # docs/json/eval_episodes");
  auto flags = std::make_shared<Flags>();
  episodes.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  AddSnapshotFlags(episodes, flags->snapshots);
  episodes.AddOption("--horizon", flags->horizon, "Will it end within this time (30s)");
  episodes.AddOption("--every", flags->every, "Snapshots between two forecasts (16)")
      .Between(1L, 1'000'000L);
  episodes.AddOption("--forecasts", flags->forecasts,
                     "Write each probability and what came to this CSV file");
  episodes.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(episodes, flags->input);
  episodes.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
