#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "operators/io/series_reader.h"
#include "operators/learn/process_cost.h"
#include "operators/sequence/forecast_scoring.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::sequence::ExpertNames;
using operators::sequence::ExpertsNamed;
using operators::sequence::ForecastExpert;
using operators::sequence::ForecastFigures;
using operators::sequence::kForecastExperts;
using operators::sequence::SequenceEvaluation;
using operators::sequence::SequenceEvaluationOptions;

struct Flags {
  std::string path;
  operators::io::SeriesColumns columns;
  std::string time_unit = "s";
  std::string model = "weft";
  SequenceEvaluationOptions options;
  std::vector<std::string> without;
  bool json = false;
};

ordered_json FiguresJson(const ForecastFigures& figures) {
  return {{"mape", figures.mape}, {"nrmse", figures.nrmse}, {"nll", figures.nll}};
}

void PrintRow(const char* name, const ForecastFigures& figures) {
  std::printf("  %-12s %.4f  %.4f  %.4f\n", name, figures.mape, figures.nrmse, figures.nll);
}

void PrintTable(const Flags& flags, const operators::io::Series& series,
                const SequenceEvaluation& result) {
  std::printf("%s, column %s: %" PRId64 " of %" PRId64 " records scored, %" PRId64 " ahead\n",
              flags.path.c_str(), series.value_column.c_str(), result.scored, result.records,
              flags.options.horizon);
  if (result.missing > 0) std::printf("  %" PRId64 " values are missing\n", result.missing);
  std::printf("               MAPE    NRMSE   NLL (%" PRId64 " buckets, %g to %g)\n",
              flags.options.bucket_count, result.least, result.most);
  PrintRow(flags.model.c_str(), result.forecast);
  PrintRow("persistence", result.persistence);
  PrintRow("seasonal", result.seasonal);
  PrintRow("histogram", result.histogram);
  std::printf("  values below the quantiles .1, .5, .9: %.3f, %.3f, %.3f\n",
              result.forecast.below_p10, result.forecast.below_p50, result.forecast.below_p90);
}

int Evaluate(const Flags& flags) {
  operators::io::SeriesColumns columns = flags.columns;
  columns.time_unit = *operators::io::ParseTimeUnit(flags.time_unit);
  const auto series = operators::io::LoadSeries(flags.path, columns);
  if (!series.ok()) return FailOnInput(series.status());
  SequenceEvaluationOptions options = flags.options;
  options.without = ExpertsNamed<ForecastExpert>(flags.without, kForecastExperts);
  if (flags.model == "htm") options.model = operators::sequence::ForecastModel::kHtm;
  const double begin = operators::learn::ProcessCpuSeconds();
  const SequenceEvaluation result =
      operators::sequence::EvaluateForecasts(series->time_us, series->value, options);
  const double seconds = operators::learn::ProcessCpuSeconds() - begin;
  if (!flags.json) {
    PrintTable(flags, *series, result);
    return kOk;
  }
  const ordered_json object = {
      {"schema_version", 1},
      {"input", flags.path},
      {"value", series->value_column},
      {"records", result.records},
      {"missing", result.missing},
      {"scored", result.scored},
      {"model", flags.model},
      {"without", flags.without},
      {"horizon", flags.options.horizon},
      {"buckets",
       {{"count", flags.options.bucket_count}, {"least", result.least}, {"most", result.most}}},
      {"mape", result.forecast.mape},
      {"nrmse", result.forecast.nrmse},
      {"nll", result.forecast.nll},
      {"quantile_coverage",
       {{"p10", result.forecast.below_p10},
        {"p50", result.forecast.below_p50},
        {"p90", result.forecast.below_p90}}},
      {"baselines",
       {{"persistence", FiguresJson(result.persistence)},
        {"seasonal", FiguresJson(result.seasonal)},
        {"histogram", FiguresJson(result.histogram)}}},
      {"cost",
       {{"records_per_cpu_second", static_cast<double>(result.records) / std::max(seconds, 1e-9)},
        {"init_seconds", result.init_seconds},
        {"bytes_per_series", result.bytes},
        {"peak_rss_bytes", operators::learn::PeakResidentBytes()}}}};
  std::printf("%s\n", object.dump().c_str());
  return kOk;
}

}  // namespace

void AddEvalSequence(Command eval, Invocation& invocation) {
  const Command sequence = eval.AddCommand(
      "sequence", "How well a series of numbers is foretold.",
      "weft eval sequence series.csv --value load --horizon 5\n"
      "weft eval sequence series.csv --json                    # docs/json/eval_sequence");
  auto flags = std::make_shared<Flags>();
  sequence.AddOption("FILE", flags->path, "CSV with a column of numbers; - is stdin").Required();
  sequence.AddOption("--value", flags->columns.value,
                     "Column of the values, by name or number (value, or the first with numbers)");
  sequence.AddOption("--time", flags->columns.time,
                     "Column of the times (timestamp, time, ts, date or datetime)");
  sequence.AddOption("--time-unit", flags->time_unit, "Of numeric times (s)")
      .OneOf({"s", "ms", "us", "ns"});
  sequence.AddOption("--horizon", flags->options.horizon, "Records ahead (5)").Between(1L, 10'000L);
  sequence
      .AddOption("--skip", flags->options.skip,
                 "Records of the beginning that are not scored (10000, at most 60 in 100)")
      .NotNegative();
  sequence.AddOption("--scored", flags->options.most, "Records that are scored; all without it")
      .NotNegative();
  sequence
      .AddOption("--buckets", flags->options.bucket_count,
                 "Of the values, whose probability is scored (22)")
      .Between(2L, 10'000L);
  sequence.AddOption("--least", flags->options.least, "Middle of the first bucket");
  sequence.AddOption("--most", flags->options.most_value, "Middle of the last bucket");
  sequence
      .AddOption("--model", flags->model,
                 "weft, or htm, which is told the range of the buckets and sees the first records "
                 "beforehand (weft)")
      .OneOf({"weft", "htm"});
  sequence.AddOption("--seed", flags->options.seed, "Of htm (0)");
  sequence
      .AddOption("--without", flags->without,
                 "Experts that weft must do without, comma-separated, to see what they are worth")
      .OneOf(ExpertNames<ForecastExpert>(kForecastExperts))
      .CommaSeparated();
  sequence.AddFlag("--json", flags->json, "One JSON object on stdout");
  sequence.Runs(invocation, [flags] { return Evaluate(*flags); });
}

}  // namespace weft::deploy
