#include "operators/sequence/expert_mixture.h"

#include <algorithm>
#include <cmath>

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {
namespace {

// A point of a mixture, and how much it counts.
struct WeightedPoint {
  PointForecast at;
  double weight = 0.0;
};

double QuantileOf(std::span<const WeightedPoint> points, double share) {
  constexpr int kHalvings = 40;
  constexpr double kFar = 60.0;  // scales; what lies beyond has no probability to speak of
  double low = points.front().at.point, high = low;
  for (const WeightedPoint& one : points) {
    low = std::min(low, one.at.point - kFar * one.at.scale);
    high = std::max(high, one.at.point + kFar * one.at.scale);
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    double below = 0.0;
    for (const WeightedPoint& one : points) below += one.weight * one.at.Below(middle);
    (below < share ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

ExpertMixture::ExpertMixture(std::size_t experts, std::int64_t horizon)
    : horizon_(horizon), scales_(experts), weights_(experts) {}

void ExpertMixture::Learn(const Pending& pending, double value) {
  // What each thought likely: a small stretch around what came.
  double near = 1.0;
  for (std::size_t e = 0; e < scales_.size(); ++e)
    if (scales_[e].knows_any()) near = std::min(near, scales_[e].At(pending.day_slot));
  std::vector<double> probability(scales_.size(), -1.0);
  double known = 0.0, count = 0.0;
  for (std::size_t e = 0; e < scales_.size(); ++e) {
    if (!std::isfinite(pending.points[e])) continue;
    if (scales_[e].knows_any()) {
      const PointForecast said{pending.points[e], scales_[e].At(pending.day_slot)};
      probability[e] = said.Below(value + near) - said.Below(value - near);
      known += probability[e];
      count += 1.0;
    }
    scales_[e].Learn(pending.day_slot, value - pending.points[e]);
  }
  if (count == 0.0) return;
  // Those who said nothing fare like the mean.
  for (double& one : probability)
    if (one < 0.0) one = known / count;
  weights_.Learn(pending.day_slot, probability);
}

StepForecast ExpertMixture::Mix(const Pending& pending) const {
  StepForecast forecast{.horizon = horizon_};
  const std::vector<double> weight = weights_.At(pending.day_slot);
  std::vector<WeightedPoint> points;
  double all = 0.0;
  for (std::size_t e = 0; e < scales_.size(); ++e) {
    if (!std::isfinite(pending.points[e]) || !scales_[e].knows_any()) continue;
    points.push_back({{pending.points[e], scales_[e].At(pending.day_slot)}, weight[e]});
    all += weight[e];
  }
  if (points.empty()) return forecast;
  forecast.is_known = true;
  for (WeightedPoint& one : points) {
    one.weight /= all;
    forecast.mean += one.weight * one.at.point;
  }
  forecast.mean = scale_.origin + scale_.unit * forecast.mean;
  for (std::size_t q = 0; q < forecast.quantile.size(); ++q)
    forecast.quantile[q] =
        scale_.origin + scale_.unit * QuantileOf(points, StepForecast::kShares[q]);
  return forecast;
}

StepForecast ExpertMixture::Next(graph::TimeUs time_us, double value,
                                 std::span<const double> points) {
  if (scale_.unit == 0.0) {
    first_.push_back(value);
    if (first_.size() < kFirst) return {.horizon = horizon_};
    scale_ = ValueScale::Of(first_);
    first_ = {};
  }
  if (static_cast<std::int64_t>(pending_.size()) == horizon_) {
    Learn(pending_.front(), (value - scale_.origin) / scale_.unit);
    pending_.pop_front();
  }
  Pending& said = pending_.emplace_back();
  said.day_slot = PlaceOf(time_us).day_slot();
  for (const double point : points) said.points.push_back((point - scale_.origin) / scale_.unit);
  return Mix(said);
}

}  // namespace weft::operators::sequence
