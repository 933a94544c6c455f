#include "operators/hierarchy/forecast_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "operators/hierarchy/episode_forecaster.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/learn/ranking_metrics.h"

namespace weft::operators::hierarchy {
namespace {

using graph::TimeUs;

constexpr double kLeastProbability = 1e-3;
constexpr std::size_t kAllColumns = kWindowColumns + kLevelColumns;
enum Head : std::size_t { kFixed, kCounted, kWindows, kHierarchy, kBoth, kRelational, kHeads };

class EndScores {
 public:
  void Add(const EndForecast& forecast, TimeUs end_us) {
    for (std::size_t i = 0; i < EndForecast::kShares.size(); ++i) {
      const double over = graph::Seconds(end_us - forecast.end_us[i]);
      const double share = EndForecast::kShares[i];
      pinball_ += std::max(share * over, (share - 1.0) * over) / 3.0;
    }
    covered_ += end_us >= forecast.end_us.front() && end_us <= forecast.end_us.back() ? 1.0 : 0.0;
    count_ += 1.0;
  }
  EndFigures Figures() const {
    return count_ == 0.0 ? EndFigures() : EndFigures{covered_ / count_, pinball_ / count_};
  }

 private:
  double count_ = 0.0, covered_ = 0.0, pinball_ = 0.0;
};

class HazardScores {
 public:
  void Add(double probability, bool ended) {
    const double bounded = std::clamp(probability, kLeastProbability, 1.0 - kLeastProbability);
    log_loss_ -= std::log(ended ? bounded : 1.0 - bounded);
    (ended ? ended_ : lasted_).push_back(static_cast<float>(bounded));
  }
  HazardFigures Figures() const {
    HazardFigures figures;
    const auto count = static_cast<double>(ended_.size() + lasted_.size());
    if (count > 0.0) figures.log_loss = log_loss_ / count;
    if (!ended_.empty() && !lasted_.empty())
      figures.auroc = learn::RankingOf(ended_, lasted_).area_under_curve;
    return figures;
  }

 private:
  double log_loss_ = 0.0;
  std::vector<float> ended_, lasted_;
};

// A level of the hierarchy as it grows.
class LevelForecasts {
 public:
  LevelForecasts(std::int32_t level, const ForecastOptions& options)
      : level_(level), options_(options) {}

  // At a moment when the level's open episode can be asked about; `relational` is the graph
  // network's probability, if it gives one.
  void Forecast(const cache::EpisodeView& view, const Readout& readout,
                std::optional<double> relational) {
    const DurationHistory history(view, level_);
    const LevelReadout& open = readout.levels[static_cast<std::size_t>(level_) - 1];
    const auto by_age = history.ForecastEnd(open.begin_us, readout.now_us, options_.horizon_us);
    if (!by_age) return;
    Pending pending;
    pending.now_us = readout.now_us;
    pending.by_age = *by_age;
    // As if it had just begun, and as if it began anew at every moment.
    pending.unconditional = *history.ForecastEnd(open.begin_us, open.begin_us, options_.horizon_us);
    pending.memoryless = history.MemorylessFrom(readout.now_us, options_.horizon_us);
    pending.columns = HazardColumns(readout, open, *by_age);
    pending.probability = {
        (static_cast<double>(ended_) + 0.5) / (static_cast<double>(scored_) + 1.0),
        by_age->ends_within,
        windows_.Probability(pending.windows()),
        hierarchy_.Probability(pending.hierarchy()),
        both_.Probability(pending.columns),
        relational.value_or(-1.0)};
    pending_.push_back(pending);
  }

  void Close(const cache::EpisodeView& view, std::int64_t number) {
    const cache::Episode& episode = view.tree().closed(level_)[number];
    for (const Pending& pending : pending_) {
      const bool within = episode.end_us <= pending.now_us + options_.horizon_us;
      by_age_.Add(pending.by_age, episode.end_us);
      unconditional_.Add(pending.unconditional, episode.end_us);
      memoryless_.Add(pending.memoryless, episode.end_us);
      for (std::size_t i = 0; i < hazards_.size(); ++i)
        if (pending.probability[i] >= 0.0) hazards_[i].Add(pending.probability[i], within);
      if (options_.records)
        records_.push_back({level_, pending.now_us, pending.probability, within});
      windows_.Learn(pending.windows(), within);
      hierarchy_.Learn(pending.hierarchy(), within);
      both_.Learn(pending.columns, within);
      ended_ += within ? 1 : 0;
      ++scored_;
    }
    pending_.clear();
    ++episodes_;
    ScoreNext(episode);
    ForetellNext(view, number, episode);
  }

  const std::vector<ForecastRecord>& records() const { return records_; }

  ForecastLevel Figures() const {
    ForecastLevel figures;
    figures.level = level_;
    figures.episodes = episodes_;
    figures.forecasts = scored_;
    figures.ended_within =
        static_cast<double>(ended_) / static_cast<double>(std::max<std::int64_t>(scored_, 1));
    figures.by_age = by_age_.Figures();
    figures.unconditional = unconditional_.Figures();
    figures.memoryless = memoryless_.Figures();
    figures.fixed = hazards_[kFixed].Figures();
    figures.counted = hazards_[kCounted].Figures();
    figures.windows = hazards_[kWindows].Figures();
    figures.hierarchy = hazards_[kHierarchy].Figures();
    figures.both = hazards_[kBoth].Figures();
    figures.relational = hazards_[kRelational].Figures();
    figures.has_relational = level_ <= kReadoutLevels;
    figures.next_forecasts = foretold_;
    const auto count = static_cast<double>(std::max<std::int64_t>(foretold_, 1));
    figures.next_by_precedents = static_cast<double>(hits_[0]) / count;
    figures.next_as_before = static_cast<double>(hits_[1]) / count;
    figures.next_as_overall = static_cast<double>(hits_[2]) / count;
    return figures;
  }

 private:
  struct Pending {
    TimeUs now_us = 0;
    EndForecast by_age, unconditional, memoryless;
    std::array<float, kAllColumns> columns = {};
    std::array<double, kHeads> probability = {};
    std::span<const float> windows() const { return std::span(columns).first(kWindowColumns); }
    std::span<const float> hierarchy() const { return std::span(columns).last(kLevelColumns); }
  };

  void ScoreNext(const cache::Episode& episode) {
    if (episode.nodes[0].count == 0) return;
    if (has_next_) {
      ++foretold_;
      for (std::size_t i = 0; i < next_.size(); ++i)
        hits_[i] += next_[i] == episode.nodes[0].node ? 1 : 0;
    }
    for (const cache::TopNode& node : episode.nodes) overall_[node.node] += node.count;
    has_next_ = false;
  }

  void ForetellNext(const cache::EpisodeView& view, std::int64_t number,
                    const cache::Episode& episode) {
    const cache::EpisodeSums sums = view.Sums(level_, number);
    const cache::EpisodeRing& ring = view.tree().closed(level_);
    const auto precedents = FindPrecedents(ring, view.Closed(level_), number + 1, sums.pair_count(),
                                           options_.precedents, gpu::HostExec());
    const auto nodes = NextNodes(ring, precedents);
    if (nodes.empty() || precedents.size() < options_.precedents || overall_.empty()) return;
    const auto busiest =
        std::ranges::max_element(overall_, {}, [](const auto& one) { return one.second; });
    next_ = {nodes.front().node, episode.nodes[0].node, busiest->first};
    has_next_ = true;
  }

  std::int32_t level_;
  const ForecastOptions& options_;
  std::vector<Pending> pending_;  // of the open episode
  EndScores by_age_, unconditional_, memoryless_;
  std::array<HazardScores, kHeads> hazards_;
  std::vector<ForecastRecord> records_;
  OnlineLogistic windows_{kWindowColumns}, hierarchy_{kLevelColumns}, both_{kAllColumns};
  std::int64_t episodes_ = 0, scored_ = 0, ended_ = 0;
  std::map<graph::NodeId, std::uint64_t> overall_;
  bool has_next_ = false;
  std::array<graph::NodeId, 3> next_ = {};
  std::int64_t foretold_ = 0;
  std::array<std::int64_t, 3> hits_ = {};
};

}  // namespace

ForecastResult EvaluateForecasts(const graph::EventBatch& events, const ForecastOptions& options) {
  EpisodeStream stream(options.snapshots, options.leaf);
  std::vector<LevelForecasts> levels;
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level)
    levels.emplace_back(level, options);
  std::vector<cache::EpisodeChange> changes;
  ReadoutBuilder builder;
  RelationalHead relational(options.seed, options.horizon_us, gpu::HostExec());
  std::int64_t next = options.every_snapshots;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const std::int64_t before = stream.tree().snapshot_count();
    stream.Push(graph::EventSpan::Of(events, i, i + 1), changes);
    if (stream.tree().snapshot_count() == before) continue;
    const cache::EpisodeView view(stream.tree());
    EpisodeBatch batch;
    for (const cache::EpisodeChange& change : changes) {
      AppendChange(stream.tree(), change, batch);
      if (change.kind != cache::EpisodeChange::kClosed) continue;
      levels[static_cast<std::size_t>(change.level) - 1].Close(view, change.number);
      relational.Learn(change.level, batch.rows.back().episode.end_us);
    }
    changes.clear();
    const bool asks = stream.tree().snapshot_count() >= next;
    if (asks) AppendGrowing(stream.tree(), stream.leaf().latest_score(), batch);
    std::vector<Readout> readouts;
    builder.Take(batch, readouts);
    if (!asks) continue;
    next = stream.tree().snapshot_count() + options.every_snapshots;
    const Readout& readout = readouts.back();
    const auto probability = relational.Forecast(readout);
    for (std::size_t level = 0; level < readout.levels.size(); ++level)
      levels[level].Forecast(view, readout,
                             level < probability.size()
                                 ? std::optional(static_cast<double>(probability[level]))
                                 : std::nullopt);
  }
  ForecastResult result;
  result.snapshots = stream.tree().snapshot_count();
  for (const LevelForecasts& level : levels) {
    result.records.insert(result.records.end(), level.records().begin(), level.records().end());
    const ForecastLevel figures = level.Figures();
    if (figures.forecasts > 0) result.levels.push_back(figures);
  }
  return result;
}

}  // namespace weft::operators::hierarchy
