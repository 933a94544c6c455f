#include "operators/hierarchy/episode_forecaster.h"

#include <algorithm>

#include "cache/pair_list.h"
#include "gpu/elementary.h"
#include "gpu/memory.h"

namespace weft::operators::hierarchy {

float LogOdds(double probability) {
  constexpr double kLeast = 1e-3;
  const double bounded = std::clamp(probability, kLeast, 1.0 - kLeast);
  return gpu::Log(static_cast<float>(bounded / (1.0 - bounded)));
}

std::array<float, kWindowColumns + kLevelColumns> HazardColumns(const Readout& readout,
                                                                const LevelReadout& level,
                                                                const EndForecast& counted) {
  std::array<float, kWindowColumns + kLevelColumns> columns = {};
  std::ranges::copy(readout.windows, columns.begin());
  columns[kWindowColumns] = LogOdds(counted.ends_within);
  std::ranges::copy(level.columns, columns.begin() + kWindowColumns + 1);
  return columns;
}

EpisodeForecaster::EpisodeForecaster(const ForecasterOptions& options, const gpu::Exec& exec)
    : options_(options), exec_(exec) {
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level)
    levels_.emplace_back(options.most_precedents, gpu::MemoryOf(exec));
  if (options.head == HazardHead::kRelational)
    relational_.emplace(options.seed, options.horizon_us, exec);
}

void EpisodeForecaster::Close(const EpisodeRow& row, std::span<const std::uint32_t> pairs) {
  Level& level = levels_[static_cast<std::size_t>(row.level) - 1];
  level.durations.Add(row.episode);
  level.closed.Append(row.episode, pairs, level.closed.end() + 1);
  for (const Pending& pending : level.pending)
    level.logistic.Learn(pending.columns,
                         row.episode.end_us <= pending.now_us + options_.horizon_us);
  level.pending.clear();
  if (relational_) relational_->Learn(row.level, row.episode.end_us);
}

double EpisodeForecaster::Hazard(Level& level, const Readout& readout, const LevelReadout& open,
                                 const EndForecast& counted) {
  if (options_.head != HazardHead::kLogistic) return counted.ends_within;
  const auto columns = HazardColumns(readout, open, counted);
  if (level.pending.size() == kMostPending) {
    // Every second one goes, so that early moments of a long episode keep their weight.
    for (std::size_t i = 0; i < kMostPending / 2; ++i) level.pending[i] = level.pending[2 * i];
    level.pending.resize(kMostPending / 2);
  }
  level.pending.push_back({readout.now_us, columns});
  return level.logistic.Probability(columns);
}

void EpisodeForecaster::ForetellNext(const Level& level, std::span<const std::uint32_t> pairs,
                                     ForecastRow& row) const {
  std::vector<std::uint64_t> mix(cache::kPairSlots);
  cache::ForEachPair(pairs, [&mix](std::uint32_t slot, std::uint64_t count) { mix[slot] = count; });
  const cache::EpisodeRange closed = {row.level, level.closed.first(), level.closed.end()};
  const auto nodes = NextNodes(level.closed, FindPrecedents(level.closed, closed, closed.end, mix,
                                                            options_.precedents, exec_));
  std::copy_n(nodes.begin(), std::min(nodes.size(), row.next.size()), row.next.begin());
}

void EpisodeForecaster::Take(const Readout& readout, std::vector<ForecastRow>& forecasts) {
  const EpisodeBatch& episodes = readout.episodes;
  for (std::size_t at = 0; at < episodes.rows.size(); ++at)
    if (episodes.rows[at].kind == EpisodeRow::kClosed)
      Close(episodes.rows[at], episodes.PairsOf(at));
  std::array<float, kReadoutLevels> relational = {};
  if (relational_) relational = relational_->Forecast(readout);
  const std::size_t first_open = episodes.rows.size() - readout.levels.size();
  for (std::size_t i = 0; i < readout.levels.size(); ++i) {
    const LevelReadout& open = readout.levels[i];
    Level& level = levels_[static_cast<std::size_t>(open.level) - 1];
    const auto end =
        level.durations.ForecastEnd(open.begin_us, readout.now_us, options_.horizon_us);
    if (!end) continue;
    ForecastRow row;
    row.level = open.level;
    row.begin = open.begin;
    row.begin_us = open.begin_us;
    row.now_us = readout.now_us;
    row.end = *end;
    row.ends_within = relational_ && i < relational.size() ? static_cast<double>(relational[i])
                                                           : Hazard(level, readout, open, *end);
    ForetellNext(level, episodes.PairsOf(first_open + i), row);
    forecasts.push_back(row);
  }
}

}  // namespace weft::operators::hierarchy
