#include "operators/sequence/rank_calibration.h"

#include <algorithm>
#include <cmath>

#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {

double RankCalibration::Next(double statistic) {
  const float value = Clamped(statistic);
  const double rarity = ring_.size() >= options_.fewest ? Rarity(value) : 0.0;
  ForgetIfLasting(value);
  if (++seen_ > options_.skipped) ring_.Add(value);
  return rarity;
}

void RankCalibration::ForgetIfLasting(float statistic) {
  // Two and a half times what it is if nothing changes.
  constexpr double kTooMuch = 1.1;
  has_forgotten_ = 0;
  if (ring_.size() < 2 * kLasting) return;
  const double share = (1.0 + static_cast<double>(ring_.CountAtLeast(statistic))) /
                       (static_cast<double>(ring_.size()) + 1.0);
  usual_ += (-Log10(share) - usual_) / static_cast<double>(kLasting);
  if (usual_ < kTooMuch) return;
  KeepLatest(kLasting);
  has_forgotten_ = 1;
}

void RankCalibration::KeepLatest(std::size_t count) {
  ring_.KeepLatest(count);
  usual_ = kLog10E;
}

// A generalised Pareto tail over the largest twentieth, by its first two moments; no more than 1.5
// above what was counted.
double RankCalibration::Rarity(float statistic) const {
  const auto count = static_cast<double>(ring_.size());
  const double share = (1.0 + static_cast<double>(ring_.CountAtLeast(statistic))) / (count + 1.0);
  const double counted = -Log10(share);
  const auto tail = std::max<std::size_t>(8, static_cast<std::size_t>(0.05 * count));
  if (ring_.size() <= tail) return std::clamp(counted, 0.0, kMost);
  const auto least = static_cast<double>(ring_.At(ring_.size() - tail - 1));
  if (static_cast<double>(statistic) <= least) return std::clamp(counted, 0.0, kMost);
  double sum = 0.0, squares = 0.0;
  ring_.VisitFrom(ring_.size() - tail, [&](float one) {
    const double excess = static_cast<double>(one) - least;
    sum += excess;
    squares += excess * excess;
  });
  const auto size = static_cast<double>(tail);
  const double mean = sum / size;
  const double variance = squares / size - mean * mean;
  if (!(mean > 0.0)) return std::clamp(counted, 0.0, kMost);
  const double shape =
      variance > 0.0 ? std::clamp(0.5 * (1.0 - mean * mean / variance), 0.0, 0.2) : 0.0;
  const double scale = mean * (1.0 - shape);
  const double over = (static_cast<double>(statistic) - least) / scale;
  const double beyond = shape < 1e-3 ? over * kLog10E : Log10(1.0 + shape * over) / shape;
  return std::clamp(std::min(Log10(count / size) + beyond, counted + 1.5), 0.0, kMost);
}

}  // namespace weft::operators::sequence
