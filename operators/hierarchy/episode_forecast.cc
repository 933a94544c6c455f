#include "operators/hierarchy/episode_forecast.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cache/mix_affinity.h"

namespace weft::operators::hierarchy {

using graph::TimeUs;

DurationHistory::DurationHistory(const cache::EpisodeView& view, std::int32_t level) {
  const cache::EpisodeRange closed = view.Closed(level);
  const cache::EpisodeRing& ring = view.tree().closed(level);
  for (std::int64_t number = std::max(closed.begin, closed.end - kMost); number < closed.end;
       ++number) {
    const cache::Episode& episode = ring[number];
    latest_.push_back({episode.decided_us - episode.begin_us, episode.end_us - episode.begin_us});
  }
  by_age_.assign(latest_.begin(), latest_.end());
  std::ranges::sort(by_age_);
}

void DurationHistory::Add(const cache::Episode& closed) {
  if (size() == kMost) {
    by_age_.erase(std::ranges::lower_bound(by_age_, latest_.front()));
    latest_.pop_front();
  }
  latest_.push_back({closed.decided_us - closed.begin_us, closed.end_us - closed.begin_us});
  by_age_.insert(std::ranges::upper_bound(by_age_, latest_.back()), latest_.back());
}

EndForecast DurationHistory::MemorylessFrom(TimeUs now_us, TimeUs horizon_us) const {
  double mean_us = 0.0;
  for (const Closed& closed : by_age_)
    mean_us += static_cast<double>(closed.duration_us) / static_cast<double>(by_age_.size());
  mean_us = std::max(mean_us, 1.0);
  EndForecast forecast;
  for (std::size_t i = 0; i < EndForecast::kShares.size(); ++i)
    forecast.end_us[i] =
        now_us + static_cast<TimeUs>(-mean_us * std::log1p(-EndForecast::kShares[i]));
  forecast.ends_within = -std::expm1(-static_cast<double>(horizon_us) / mean_us);
  return forecast;
}

// One whose end is not known at this age is like those whose end was not known at that age, or, if
// there are too few of these, like those that took longest to be known.
std::optional<EndForecast> DurationHistory::ForecastEnd(TimeUs begin_us, TimeUs now_us,
                                                        TimeUs horizon_us) const {
  if (size() < kFewest) return std::nullopt;
  const auto longest = by_age_.begin() + static_cast<std::ptrdiff_t>(size() - kFewest);
  const auto older =
      std::ranges::upper_bound(by_age_, now_us - begin_us, {}, &Closed::known_after_us);
  std::vector<TimeUs> durations;
  for (auto closed = std::min(older, longest); closed != by_age_.end(); ++closed)
    durations.push_back(closed->duration_us);
  // The value at a place if all were sorted.
  const auto sorted = [&durations](std::size_t place) {
    const auto at = durations.begin() + static_cast<std::ptrdiff_t>(place);
    std::ranges::nth_element(durations, at);
    return *at;
  };
  EndForecast forecast;
  forecast.based_on = static_cast<std::int64_t>(by_age_.end() - older);
  const auto count = static_cast<double>(durations.size());
  for (std::size_t i = 0; i < EndForecast::kShares.size(); ++i) {
    // Of n + 1 equally likely gaps between n values.
    const double rank = EndForecast::kShares[i] * (count + 1.0) - 1.0;
    const double place = std::clamp(rank, 0.0, count - 1.0);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, durations.size() - 1);
    const TimeUs shorter = sorted(low), longer = sorted(high);
    const auto between = static_cast<double>(longer - shorter);
    forecast.end_us[i] =
        begin_us + shorter + static_cast<TimeUs>((place - std::floor(place)) * between);
  }
  const auto within = std::ranges::count_if(
      durations, [&](TimeUs duration) { return duration <= now_us - begin_us + horizon_us; });
  forecast.ends_within = (static_cast<double>(within) + 0.5) / (count + 1.0);
  return forecast;
}

std::vector<Precedent> FindPrecedents(const cache::EpisodeRing& ring, cache::EpisodeRange closed,
                                      std::int64_t before, std::span<const std::uint64_t> pairs,
                                      std::size_t most, const gpu::Exec& exec) {
  constexpr std::int64_t kLatest = 8192;
  const std::int64_t end = std::min(before, closed.end) - 1;  // each needs one behind it
  const std::int64_t begin = std::max(closed.begin, end - kLatest);
  if (begin >= end) return {};
  std::vector<float> affinity(static_cast<std::size_t>(end - begin));
  cache::MixAffinity(pairs, exec).Of(ring, begin, affinity);
  std::vector<Precedent> precedents;
  for (std::int64_t number = end - 1; number >= begin; --number)
    precedents.push_back({number, affinity[static_cast<std::size_t>(number - begin)]});
  const std::size_t count = std::min(most, precedents.size());
  std::partial_sort(precedents.begin(), precedents.begin() + static_cast<std::ptrdiff_t>(count),
                    precedents.end(), [](const Precedent& a, const Precedent& b) {
                      return a.affinity != b.affinity ? a.affinity > b.affinity
                                                      : a.number > b.number;
                    });
  precedents.resize(count);
  return precedents;
}

std::vector<NodeShare> NextNodes(const cache::EpisodeRing& ring,
                                 std::span<const Precedent> precedents) {
  std::map<graph::NodeId, double> shares;
  double all = 0.0;
  for (const auto& [number, affinity] : precedents) {
    const cache::Episode& next = ring[number + 1];
    if (next.interactions == 0) continue;
    const auto weight = static_cast<double>(affinity);
    all += weight;
    for (const cache::TopNode& node : next.nodes)
      if (node.count > 0)
        shares[node.node] +=
            weight * static_cast<double>(node.count) / static_cast<double>(next.interactions);
  }
  std::vector<NodeShare> nodes;
  for (const auto& [node, share] : shares)
    if (all > 0.0) nodes.push_back({node, share / all});
  std::ranges::stable_sort(nodes, std::ranges::greater(), &NodeShare::share);
  return nodes;
}

}  // namespace weft::operators::hierarchy
