#include "operators/hierarchy/forecast_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "operators/hierarchy/episode_forecast.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/hierarchy/online_logistic.h"
#include "operators/learn/ranking_metrics.h"

namespace weft::operators::hierarchy {
namespace {

using graph::TimeUs;

constexpr double kMicroseconds = 1e6;
constexpr double kLeastProbability = 1e-3;
constexpr std::size_t kWindowColumns = 4;
constexpr std::size_t kHierarchyColumns = 3;

class EndScores {
 public:
  void Add(const EndForecast& forecast, TimeUs end_us) {
    for (std::size_t i = 0; i < EndForecast::kShares.size(); ++i) {
      const double over = static_cast<double>(end_us - forecast.end_us[i]) / kMicroseconds;
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

// Columns of one moment: what windows alone know, and what the hierarchy knows.
struct Moment {
  std::vector<double> windows, hierarchy;

  std::vector<double> both() const {
    std::vector<double> all = windows;
    all.insert(all.end(), hierarchy.begin(), hierarchy.end());
    return all;
  }
};

double Logit(double probability) {
  const double bounded = std::clamp(probability, kLeastProbability, 1.0 - kLeastProbability);
  return std::log(bounded / (1.0 - bounded));
}

// A level of the hierarchy as it grows.
class LevelForecasts {
 public:
  LevelForecasts(std::int32_t level, const ForecastOptions& options)
      : level_(level), options_(options) {}

  // At a moment when the level's open episode can be asked about.
  void Forecast(const cache::EpisodeView& view, const std::vector<double>& windows) {
    const DurationHistory history(view, level_);
    const TimeUs begin_us = view.BeginUs(level_, view.Closed(level_).end);
    const TimeUs now_us = view.known_until_us();
    const auto by_age = history.ForecastEnd(begin_us, now_us, options_.horizon_us);
    if (!by_age) return;
    Pending pending;
    pending.now_us = now_us;
    pending.by_age = *by_age;
    // As if it had just begun, and as if it began anew at every moment.
    pending.unconditional = *history.ForecastEnd(begin_us, begin_us, options_.horizon_us);
    pending.memoryless = history.MemorylessFrom(now_us, options_.horizon_us);
    const cache::EpisodeRange children = view.Children(level_, view.Closed(level_).end);
    const double age = static_cast<double>(now_us - begin_us) / kMicroseconds;
    pending.moment.windows = windows;
    pending.moment.hierarchy = {Logit(by_age->ends_within), std::log1p(std::max(age, 0.0)),
                                std::log1p(static_cast<double>(children.end - children.begin))};
    pending.probability = {
        (static_cast<double>(ended_) + 0.5) / (static_cast<double>(scored_) + 1.0),
        by_age->ends_within, windows_.Probability(windows),
        hierarchy_.Probability(pending.moment.hierarchy), both_.Probability(pending.moment.both())};
    pending_.push_back(std::move(pending));
  }

  void Close(const cache::EpisodeView& view, std::int64_t number) {
    const cache::Episode& episode = view.tree().closed(level_)[number];
    for (const Pending& pending : pending_) {
      const bool within = episode.end_us <= pending.now_us + options_.horizon_us;
      by_age_.Add(pending.by_age, episode.end_us);
      unconditional_.Add(pending.unconditional, episode.end_us);
      memoryless_.Add(pending.memoryless, episode.end_us);
      for (std::size_t i = 0; i < hazards_.size(); ++i)
        hazards_[i].Add(pending.probability[i], within);
      windows_.Learn(pending.moment.windows, within);
      hierarchy_.Learn(pending.moment.hierarchy, within);
      both_.Learn(pending.moment.both(), within);
      ended_ += within ? 1 : 0;
      ++scored_;
    }
    pending_.clear();
    ++episodes_;
    ScoreNext(episode);
    ForetellNext(view, number, episode);
  }

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
    figures.fixed = hazards_[0].Figures();
    figures.counted = hazards_[1].Figures();
    figures.windows = hazards_[2].Figures();
    figures.hierarchy = hazards_[3].Figures();
    figures.both = hazards_[4].Figures();
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
    Moment moment;
    std::array<double, 5> probability = {};  // as hazards_
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
    const auto precedents = FindPrecedents(view, level_, number + 1, sums.pair_count(),
                                           options_.precedents, gpu::HostExec());
    const auto nodes = NextNodes(view, level_, precedents);
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
  std::array<HazardScores, 5> hazards_;  // fixed, counted, windows, hierarchy, both
  OnlineLogistic windows_{kWindowColumns}, hierarchy_{kHierarchyColumns};
  OnlineLogistic both_{kWindowColumns + kHierarchyColumns};
  std::int64_t episodes_ = 0, scored_ = 0, ended_ = 0;
  std::map<graph::NodeId, std::uint64_t> overall_;
  bool has_next_ = false;
  std::array<graph::NodeId, 3> next_ = {};
  std::int64_t foretold_ = 0;
  std::array<std::int64_t, 3> hits_ = {};
};

// What changes between windows: the latest scores of boundaries, and how busy the stream is.
class WindowColumns {
 public:
  std::vector<double> Next(double score, double interactions) {
    slow_score_ += 0.1 * (score - slow_score_);
    slow_interactions_ += 0.1 * (interactions - slow_interactions_);
    const double rate = std::log1p(interactions) - std::log1p(slow_interactions_);
    std::vector<double> columns = {score, last_score_, slow_score_, rate};
    last_score_ = score;
    return columns;
  }

 private:
  double last_score_ = 0.0, slow_score_ = 0.0, slow_interactions_ = 0.0;
};

}  // namespace

ForecastResult EvaluateForecasts(const graph::EventBatch& events, const ForecastOptions& options) {
  EpisodeStream stream(options.snapshots, options.leaf);
  std::vector<LevelForecasts> levels;
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level)
    levels.emplace_back(level, options);
  std::vector<cache::EpisodeChange> changes;
  WindowColumns windows;
  std::int64_t next = options.every_snapshots, last_event = 0;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const std::int64_t before = stream.tree().snapshot_count();
    stream.Push(graph::EventSpan::Of(events, i, i + 1), changes);
    if (stream.tree().snapshot_count() == before) continue;
    const cache::EpisodeView view(stream.tree());
    for (const cache::EpisodeChange& change : changes)
      if (change.kind == cache::EpisodeChange::kClosed)
        levels[static_cast<std::size_t>(change.level) - 1].Close(view, change.number);
    changes.clear();
    if (stream.tree().snapshot_count() < next) continue;
    next = stream.tree().snapshot_count() + options.every_snapshots;
    const std::vector<double> columns =
        windows.Next(cache::BoundaryStrength(1, stream.leaf().latest_score()),
                     static_cast<double>(i - last_event));
    last_event = i;
    for (std::int32_t level = 1; level <= view.level_count(); ++level)
      levels[static_cast<std::size_t>(level) - 1].Forecast(view, columns);
  }
  ForecastResult result;
  result.snapshots = stream.tree().snapshot_count();
  for (const LevelForecasts& level : levels) {
    const ForecastLevel figures = level.Figures();
    if (figures.forecasts > 0) result.levels.push_back(figures);
  }
  return result;
}

}  // namespace weft::operators::hierarchy
