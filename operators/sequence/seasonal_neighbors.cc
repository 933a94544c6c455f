#include "operators/sequence/seasonal_neighbors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gpu/elementary.h"

namespace weft::operators::sequence {
namespace {

// exp(-i / 4), over their sum.
std::array<float, SeasonalNeighbors::kCompared> ComparedWeights() {
  std::array<float, SeasonalNeighbors::kCompared> weight;
  float all = 0.0f;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = gpu::Exp(-static_cast<float>(i) / 4.0f);
    all += weight[i];
  }
  for (float& one : weight) one /= all;
  return weight;
}

}  // namespace

SeasonalNeighbors::SeasonalNeighbors(const NeighborOptions& options)
    : options_(options), most_(options.day * options.days + kCompared + options.most_horizon + 2) {}

void SeasonalNeighbors::Add(double value) {
  if (static_cast<std::int64_t>(values_.size()) == 2 * most_)
    values_.erase(values_.begin(), values_.begin() + most_);
  values_.push_back(static_cast<float>(value));
  ++count_;
}

template <class Visit>
void SeasonalNeighbors::VisitMoments(std::int64_t fewest_ago, Visit visit) const {
  static const std::array<float, kCompared> kWeights = ComparedWeights();
  const auto held = static_cast<std::int64_t>(values_.size());
  const float* const now = values_.data() + held - 1;
  for (std::int64_t day = 1; day <= options_.days; ++day)
    for (std::int64_t off = -1; off <= 1; ++off) {
      const std::int64_t back = day * options_.day - off;
      if (back + kCompared > held || back < fewest_ago) continue;
      const float* const then = now - back;
      float distance = 0.0f;
      for (std::int64_t i = 0; i < kCompared; ++i) {
        const float apart = then[-i] - now[-i];
        distance = gpu::Fma(kWeights[static_cast<std::size_t>(i)] * apart, apart, distance);
      }
      visit(back, day, off, distance);
    }
}

std::optional<double> SeasonalNeighbors::Forecast(std::int64_t horizon,
                                                  std::int32_t target_weekday) const {
  if (count_ < options_.fewest_days * options_.day) return std::nullopt;
  constexpr float kWidth = 0.05f, kOtherDay = 0.3f, kOtherKind = 1.0f, kOff = 0.15f;
  const float* const now = values_.data() + values_.size() - 1;
  const auto penalty = [&](std::int64_t days_ago) {
    const auto weekday = static_cast<std::int32_t>(((target_weekday - days_ago) % 7 + 7) % 7);
    if (!options_.has_week || weekday == target_weekday) return 0.0f;
    return (weekday >= 5) == (target_weekday >= 5) ? kOtherDay : kOtherKind;
  };
  struct Candidate {
    float log_weight;
    float forecast;
  };
  std::vector<Candidate> candidates;
  candidates.reserve(static_cast<std::size_t>(3 * options_.days));
  float best = -std::numeric_limits<float>::infinity();
  VisitMoments(horizon, [&](std::int64_t back, std::int64_t day, std::int64_t off, float distance) {
    const float* const then = now - back;
    const float extra = 0.02f * (penalty(day) + (off == 0 ? 0.0f : kOff));
    const float log_weight =
        -(distance + extra) / (kWidth * kWidth) - static_cast<float>(day) / 200.0f;
    best = std::max(best, log_weight);
    candidates.push_back({log_weight, then[horizon] + 0.6f * (now[0] - then[0])});
  });
  if (candidates.empty()) return std::nullopt;
  double sum = 0.0, all = 0.0;
  for (const Candidate& one : candidates) {
    const auto weight = static_cast<double>(gpu::Exp(one.log_weight - best));
    all += weight;
    sum += weight * static_cast<double>(one.forecast);
  }
  return sum / all;
}

std::vector<AlikeMoment> SeasonalNeighbors::Alike(std::size_t most) const {
  std::vector<AlikeMoment> moments;
  VisitMoments(1, [&](std::int64_t back, std::int64_t, std::int64_t, float distance) {
    moments.push_back({back, std::sqrt(static_cast<double>(distance))});
  });
  const std::size_t count = std::min(most, moments.size());
  std::ranges::partial_sort(moments, moments.begin() + static_cast<std::ptrdiff_t>(count), {},
                            &AlikeMoment::distance);
  moments.resize(count);
  return moments;
}

}  // namespace weft::operators::sequence
