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

// By how many days ago it was, modulo a week.
std::array<float, 7> SeasonalNeighbors::Penalties(std::int32_t target_weekday) const {
  constexpr float kOtherDay = 0.3f, kOtherKind = 1.0f;
  std::array<float, 7> penalty = {};
  for (std::int32_t ago = 1; ago < 7 && options_.has_week; ++ago) {
    const std::int32_t weekday = (target_weekday - ago + 7) % 7;
    penalty[static_cast<std::size_t>(ago)] =
        (weekday >= 5) == (target_weekday >= 5) ? kOtherDay : kOtherKind;
  }
  return penalty;
}

std::optional<double> SeasonalNeighbors::Forecast(std::int64_t horizon,
                                                  std::int32_t target_weekday) const {
  if (count_ < options_.fewest_days * options_.day) return std::nullopt;
  constexpr float kWidth = 0.05f, kOff = 0.15f;
  const float* const now = values_.data() + values_.size() - 1;
  const auto penalty = Penalties(target_weekday);
  // Columns, so that what is the same for each is done for many at once.
  const auto most = static_cast<std::size_t>(3 * options_.days);
  std::vector<float> weight(most), forecast(most);
  std::size_t count = 0;
  float best = -std::numeric_limits<float>::infinity();
  VisitMoments(horizon, [&](std::int64_t back, std::int64_t day, std::int64_t off, float distance) {
    const float* const then = now - back;
    const float extra =
        0.02f * (penalty[static_cast<std::size_t>(day % 7)] + (off == 0 ? 0.0f : kOff));
    weight[count] = -(distance + extra) / (kWidth * kWidth) - static_cast<float>(day) / 200.0f;
    forecast[count] = then[horizon] + 0.6f * (now[0] - then[0]);
    best = std::max(best, weight[count]);
    ++count;
  });
  if (count == 0) return std::nullopt;
  float* const of = weight.data();
  for (std::size_t i = 0; i < count; ++i) of[i] = gpu::Exp(of[i] - best);
  double sum = 0.0, all = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = static_cast<double>(weight[i]);
    all += one;
    sum += one * static_cast<double>(forecast[i]);
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
