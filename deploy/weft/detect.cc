#include <cmath>
#include <cstdio>
#include <memory>

#include "deploy/weft/command.h"
#include "deploy/weft/labelled_series.h"
#include "deploy/weft/text_file.h"
#include "operators/io/series_reader.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using operators::sequence::DetectorNamed;
using operators::sequence::DetectorScores;
using operators::sequence::NamedSeries;

struct Flags {
  std::string path, out, labels;
  operators::io::SeriesColumns columns;
  std::string time_unit = "s";
  std::string model = "weft", score = "alarms";
  std::uint64_t seed = 0;
};

// Whether each record lies in a window of the labels.
absl::StatusOr<std::vector<operators::sequence::LabelledWindow>> Labels(
    const Flags& flags, const std::vector<graph::TimeUs>& time_us) {
  std::vector<operators::sequence::LabelledWindow> none;
  if (flags.labels.empty()) return none;
  const auto windows = LoadWindows(flags.labels);
  if (!windows.ok()) return windows.status();
  // The file may be named from anywhere: the labels name the end of its path.
  for (const auto& [name, list] : *windows)
    if (flags.path == name || flags.path.ends_with("/" + name)) return RecordsOf(list, time_us);
  return none;
}

void WriteScores(const operators::io::Series& series, const std::vector<double>& score,
                 const std::vector<operators::sequence::LabelledWindow>& windows, std::FILE* to) {
  std::fputs("timestamp,value,anomaly_score,label\n", to);
  std::size_t next = 0;
  for (std::size_t i = 0; i < score.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    while (next < windows.size() && at >= windows[next].end) ++next;
    const bool inside = next < windows.size() && at >= windows[next].begin;
    const std::string time = series.time_text.empty() ? operators::io::FormatTime(series.time_us[i])
                                                      : series.time_text[i];
    if (std::isfinite(series.value[i])) {
      std::fprintf(to, "%s,%.17g,%.6f,%d\n", time.c_str(), series.value[i], score[i],
                   inside ? 1 : 0);
    } else {
      std::fprintf(to, "%s,,%.6f,%d\n", time.c_str(), score[i], inside ? 1 : 0);
    }
  }
}

int Detect(const Flags& flags) {
  operators::io::SeriesColumns columns = flags.columns;
  columns.time_unit = *operators::io::ParseTimeUnit(flags.time_unit);
  const auto series = operators::io::LoadSeries(flags.path, columns);
  if (!series.ok()) return FailOnInput(series.status());
  const auto windows = Labels(flags, series->time_us);
  if (!windows.ok()) return FailOnInput(windows.status());
  NamedSeries named;
  named.time_us = series->time_us;
  named.value = series->value;
  const DetectorScores scores =
      operators::sequence::RunDetector(*DetectorNamed(flags.model), named, flags.seed);
  const std::vector<double>& chosen = flags.score == "alarms" ? scores.alarm : scores.score;
  const auto write = [&](std::FILE* to) { WriteScores(*series, chosen, *windows, to); };
  if (flags.out.empty() || flags.out == "-") {
    write(stdout);
    return std::fflush(stdout) == 0 ? kOk : Fail("stdout: cannot be written");
  }
  if (const int code = WriteTextFile(flags.out, write); code != kOk) return code;
  std::size_t alarms = 0;
  for (const double alarm : scores.alarm) alarms += alarm > 0.0 ? 1 : 0;
  std::fprintf(stderr, "weft: %s: %zu records of column %s, %zu peaks\n", flags.path.c_str(),
               chosen.size(), series->value_column.c_str(), alarms);
  return kOk;
}

}  // namespace

void AddDetectCommand(Command root, Invocation& invocation) {
  const Command detect = root.AddCommand("detect", "Say how unusual each record of a series is.",
                                         "weft detect series.csv --out scores.csv               # "
                                         "timestamp,value,anomaly_score,label\n"
                                         "weft detect series.csv --value load --score continuous");
  auto flags = std::make_shared<Flags>();
  detect.AddOption("FILE", flags->path, "CSV with a column of numbers; - is stdin").Required();
  detect.AddOption("--out", flags->out, "Where to write; stdout without it");
  detect.AddOption("--value", flags->columns.value,
                   "Column of the values, by name or number (value, or the first with numbers)");
  detect.AddOption("--time", flags->columns.time,
                   "Column of the times (timestamp, time, ts, date or datetime)");
  detect.AddOption("--time-unit", flags->time_unit, "Of numeric times (s)")
      .OneOf({"s", "ms", "us", "ns"});
  detect
      .AddOption("--score", flags->score,
                 "alarms: 0 but at peaks; continuous: how unusual each record is (alarms)")
      .OneOf({"alarms", "continuous"});
  detect.AddOption("--model", flags->model, "weft or htm, which is told the file's range (weft)")
      .OneOf({"weft", "htm"});
  detect.AddOption("--seed", flags->seed, "Of htm (0)");
  detect.AddOption("--labels", flags->labels,
                   "JSON of anomalous windows by file, for the label column; else it is 0");
  detect.Runs(invocation, [flags] { return Detect(*flags); });
}

}  // namespace weft::deploy
