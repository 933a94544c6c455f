#include "operators/sequence/horizon_forecaster.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

constexpr double kLinearMemory = 0.9998;
constexpr std::int64_t kLinearFewest = 400;

}  // namespace

ValueScale ValueScale::Of(std::span<const double> values) {
  double sum = 0.0, squares = 0.0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  return {mean, 1.45 * std::max({deviation, 1e-6 * std::abs(mean), 1e-12})};
}

HorizonForecaster::HorizonForecaster(std::int64_t horizon, ExpertSet without)
    : horizon_(horizon),
      without_(without),
      bias_(2 * 2 * kDaySlots),
      linear_(ResidualFeatures::kColumns, kLinearMemory),
      scales_(kForecastExperts),
      weights_(kForecastExperts),
      widths_(Forecast::kWidths.size()) {}

std::size_t HorizonForecaster::bytes() const {
  return sizeof(*this) + linear_.bytes() + bias_.size() * sizeof(double) +
         pending_.size() * (sizeof(Pending) + SlotHistogram::kBuckets * sizeof(double));
}

double& HorizonForecaster::BiasOf(std::size_t expert, CalendarPlace place) {
  const std::size_t of = expert == kLinear ? 0 : 1;
  const std::size_t kind = place.is_weekend() ? 1 : 0;
  return bias_[(of * 2 + kind) * kDaySlots + static_cast<std::size_t>(place.day_slot())];
}

void HorizonForecaster::Learn(double value) {
  if (static_cast<std::int64_t>(pending_.size()) < horizon_) return;
  LearnFrom(pending_.front(), value);
  pending_.pop_front();
}

void HorizonForecaster::LearnFrom(const Pending& pending, double value) {
  LearnWeights(pending, value);
  const Forecast& forecast = pending.forecast;
  const std::int32_t slot = pending.target.day_slot();
  for (const std::size_t e : {std::size_t{kLinear}, std::size_t{kNeighbors}}) {
    if (forecast.weight[e] <= 0.0) continue;
    const double scale = scales_[e].At(slot);
    const double error = value - forecast.point[e].point;
    BiasOf(e, pending.target) += 0.15 * std::clamp(error, -3.0 * scale, 3.0 * scale);
  }
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (e != kHistogram && pending.raw[e] == pending.raw[e])
      scales_[e].Learn(slot, value - forecast.point[e].point);
  linear_.Learn(pending.features, value);
  ++linear_count_;
}

void HorizonForecaster::LearnWeights(const Pending& pending, double value) {
  const Forecast& forecast = pending.forecast;
  const std::int32_t slot = pending.target.day_slot();
  // What each expert thought likely: a small stretch around what came, so small that experts that
  // know exactly are told from those that know roughly.
  double near = 0.5 * SlotHistogram::kWidth;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (forecast.weight[e] > 0.0 && e != kHistogram) near = std::min(near, forecast.point[e].scale);
  const double begin = forecast.origin + forecast.unit * (value - near);
  const double end = forecast.origin + forecast.unit * (value + near);
  std::array<double, kForecastExperts> probability = {};
  double known = 0.0, known_count = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    if (forecast.weight[e] <= 0.0) continue;
    const auto expert = static_cast<ForecastExpert>(e);
    probability[e] = forecast.Below(expert, end) - forecast.Below(expert, begin);
    known += probability[e];
    known_count += 1.0;
  }
  if (known_count == 0.0) return;
  // Those without an opinion fare like the mean.
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (forecast.weight[e] <= 0.0) probability[e] = known / known_count;
  weights_.Learn(slot, probability);
  std::array<double, Forecast::kWidths.size()> by_width;
  for (std::size_t w = 0; w < by_width.size(); ++w)
    by_width[w] =
        forecast.BelowAt(Forecast::kWidths[w], end) - forecast.BelowAt(Forecast::kWidths[w], begin);
  widths_.Learn(slot, by_width);
}

void HorizonForecaster::Ask(const SeasonState& season, double value, Pending& pending) const {
  const CalendarPlace target = pending.target;
  auto& raw = pending.raw;
  raw.fill(std::nan(""));
  if (season.knows(target)) {
    raw[kSlotFast] = season.fast_mean(target);
    raw[kSlotSlow] = season.slow_mean(target);
    raw[kHistogram] = 0.0;
  }
  raw[kLinear] = linear_.Predict(pending.features);
  const SeasonalNeighbors* const neighbors = season.neighbors();
  if (neighbors != nullptr && !without_.Has(kNeighbors))
    raw[kNeighbors] = neighbors->Forecast(horizon_, target.weekday()).value_or(std::nan(""));
  raw[kPersistence] = value;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (without_.Has(e)) raw[e] = std::nan("");
}

void HorizonForecaster::Say(const SeasonState& season, ValueScale scale, CalendarPlace target,
                            double value) {
  Pending pending;
  pending.target = target;
  pending.features =
      season.residuals().At(target, horizon_, season.slow_mean(target), season.fast_mean(target));
  pending.forecast.origin = scale.origin;
  pending.forecast.unit = scale.unit;
  Ask(season, value, pending);
  Mix(season, pending);
  pending_.push_back(std::move(pending));
}

void HorizonForecaster::Mix(const SeasonState& season, Pending& pending) {
  Forecast& forecast = pending.forecast;
  const std::int32_t day_slot = pending.target.day_slot();
  const std::vector<double> weight = weights_.At(day_slot);
  double all = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    if (pending.raw[e] != pending.raw[e]) continue;
    const bool biased = e == kLinear || e == kNeighbors;
    forecast.point[e] = {pending.raw[e] + (biased ? BiasOf(e, pending.target) : 0.0),
                         scales_[e].At(day_slot)};
    const bool ready = e == kHistogram ||
                       (scales_[e].knows_any() && (e != kLinear || linear_count_ >= kLinearFewest));
    if (!ready) continue;
    forecast.weight[e] = weight[e];
    all += weight[e];
  }
  if (all <= 0.0) {
    forecast.weight[kPersistence] = all = 1.0;
    forecast.point[kPersistence].scale = 1.0;
  }
  if (forecast.weight[kHistogram] > 0.0) {
    forecast.histogram = season.histogram(pending.target);
    double below = 0.0;
    std::int64_t bucket = 0;
    while (bucket + 1 < SlotHistogram::kBuckets &&
           (below += forecast.histogram[static_cast<std::size_t>(bucket)]) < 0.5)
      ++bucket;
    forecast.point[kHistogram].point = SlotHistogram::BeginOf(bucket) + 0.5 * SlotHistogram::kWidth;
  }
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    forecast.weight[e] /= all;
    if (forecast.weight[e] > 0.0) forecast.mean += forecast.weight[e] * forecast.point[e].point;
  }
  forecast.mean = forecast.origin + forecast.unit * forecast.mean;
  const std::vector<double> widths = widths_.At(day_slot);
  std::ranges::copy(widths, forecast.width_weight.begin());
}

}  // namespace weft::operators::sequence
