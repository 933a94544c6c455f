#include <algorithm>
#include <cmath>
#include <deque>
#include <span>
#include <vector>

#include "deploy/weft/bench.h"
#include "gpu/host_device.h"
#include "operators/learn/process_cost.h"
#include "operators/sequence/sequence_model.h"
#include "operators/sequence/series_table.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::sequence::SeriesKind;
using operators::sequence::SeriesSettings;
using operators::sequence::SeriesTable;

constexpr std::int64_t kParts = 10;
constexpr graph::TimeUs kStepUs = 300'000'000;  // five minutes

// A daily wave with noise, of each series its own. A function of the record.
double ValueOf(graph::NodeId series, std::int64_t record) {
  constexpr double kTurn = 6.283185307179586, kDayRecords = 288.0;
  const auto index = static_cast<std::uint64_t>(record);
  const double noise = gpu::UnitFloat(gpu::CounterHash(11, index, series)) +
                       gpu::UnitFloat(gpu::CounterHash(12, index, series)) - 1.0;
  const double phase = static_cast<double>(series % 97) / 97.0;
  return 100.0 + 30.0 * std::sin(kTurn * (static_cast<double>(record) / kDayRecords + phase)) +
         8.0 * noise;
}

SeriesSettings SettingsOf(const BenchFlags& flags) {
  SeriesSettings settings;
  if (flags.model == "htm") settings.kind = SeriesKind::kHtm;
  return settings;
}

// Records [begin, end) of `series` series from `first` on, which come in turns and are taken in
// batches, as the operator takes them; the CPU seconds that it took. What is made up is not
// measured.
double Follow(SeriesTable& table, graph::NodeId first, std::int64_t series, std::int64_t begin,
              std::int64_t end) {
  static const std::int64_t kAtOnce = operators::sequence::SequenceModel::contract().micro_batch;
  double seconds = 0.0;
  std::vector<graph::NodeId> of;
  std::vector<double> values;
  const std::int64_t last = end * series;
  for (std::int64_t from = begin * series; from < last; from += kAtOnce) {
    const std::int64_t to = std::min(from + kAtOnce, last);
    of.clear();
    values.clear();
    for (std::int64_t i = from; i < to; ++i) {
      of.push_back(first + static_cast<graph::NodeId>(i % series));
      values.push_back(ValueOf(of.back(), i / series));
    }
    const double start = operators::learn::ProcessCpuSeconds();
    for (const std::size_t i : table.kept().OrderOf(of)) {
      const graph::TimeUs time_us = (from + static_cast<std::int64_t>(i)) / series * kStepUs;
      WEFT_CHECK(table.Next(of[i], {}, time_us, std::span(&values[i], 1)).ok());
    }
    seconds += operators::learn::ProcessCpuSeconds() - start;
  }
  return seconds;
}

ordered_json GrowingFeed(const BenchFlags& flags) {
  SeriesTable table(SettingsOf(flags), {.most = 1});
  ordered_json parts = ordered_json::array();
  double all = 0.0;
  for (std::int64_t part = 1; part <= kParts; ++part) {
    const std::int64_t begin = flags.records * (part - 1) / kParts;
    const std::int64_t end = flags.records * part / kParts;
    const double seconds = Follow(table, 0, 1, begin, end);
    all += seconds;
    const auto each = static_cast<double>(std::max<std::int64_t>(end - begin, 1));
    parts.push_back(
        {{"records", end}, {"us_per_record", seconds * 1e6 / each}, {"bytes", table.bytes()}});
  }
  return {{"records", flags.records},
          {"records_per_cpu_second", static_cast<double>(flags.records) / all},
          {"parts", parts}};
}

// Many series in turns, beside some that are followed one after the other, each alone and with as
// many records.
ordered_json ManyFeeds(const BenchFlags& flags) {
  constexpr std::int64_t kAlone = 32;
  std::deque<SeriesTable> alone;
  for (std::int64_t i = 0; i < kAlone; ++i)
    alone.emplace_back(SettingsOf(flags), operators::sequence::KeptSeriesOptions{.most = 1});
  SeriesTable many(SettingsOf(flags), {.most = flags.series});
  // In some turns, so that a machine that is busy for a while does not decide.
  constexpr std::int64_t kTurns = 8;
  double alone_seconds = 0.0, many_seconds = 0.0;
  for (std::int64_t turn = 0; turn < kTurns; ++turn) {
    const std::int64_t begin = flags.records_of_each * turn / kTurns;
    const std::int64_t end = flags.records_of_each * (turn + 1) / kTurns;
    for (std::int64_t i = 0; i < kAlone; ++i)
      alone_seconds +=
          Follow(alone[static_cast<std::size_t>(i)], static_cast<graph::NodeId>(i), 1, begin, end);
    many_seconds += Follow(many, 0, flags.series, begin, end);
  }
  const auto each = static_cast<double>(flags.records_of_each);
  const double one_rate = each * static_cast<double>(kAlone) / alone_seconds;
  const double many_rate = each * static_cast<double>(flags.series) / many_seconds;
  return {{"series", flags.series},
          {"records_of_each", flags.records_of_each},
          {"records_per_cpu_second", many_rate},
          {"one_records_per_cpu_second", one_rate},
          {"share_of_one", many_rate / one_rate},
          {"bytes_per_series", many.bytes() / static_cast<std::size_t>(flags.series)},
          {"peak_rss_bytes", operators::learn::PeakResidentBytes()}};
}

}  // namespace

int BenchSequence(const BenchFlags& flags) {
  return PrintFigures(
      flags, "sequence",
      {{"model", flags.model}, {"growing", GrowingFeed(flags)}, {"many", ManyFeeds(flags)}});
}

}  // namespace weft::deploy
