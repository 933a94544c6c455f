#include "operators/sequence/bucket_forecaster.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {

BucketForecaster::BucketForecaster(const BucketForecasterOptions& options)
    : options_(options),
      width_((options.most - options.least) / static_cast<double>(options.buckets - 5)),
      classifier_({.bits = options.bits,
                   .classes = options.buckets,
                   .steps = options.horizons,
                   .rate = options.rate}) {
  for (std::size_t b = 0; b < static_cast<std::size_t>(options.buckets); ++b)
    usual_.push_back(BeginOf(b) + 0.5 * width_);
}

double BucketForecaster::BeginOf(std::size_t bucket) const {
  return options_.least + width_ * (static_cast<double>(bucket) - 2.5);
}

std::size_t BucketForecaster::BucketOf(double value) const {
  const double place = (value - options_.least) / width_ + 2.5;
  return static_cast<std::size_t>(
      std::clamp(std::floor(place), 0.0, static_cast<double>(options_.buckets - 1)));
}

void BucketForecaster::Learn(std::span<const std::uint32_t> code, double value) {
  if (!std::isfinite(value)) return;
  const std::size_t bucket = BucketOf(value);
  usual_[bucket] = 0.7 * usual_[bucket] + 0.3 * value;
  classifier_.Learn(code, static_cast<std::int64_t>(bucket));
}

StepForecast BucketForecaster::Step(std::size_t step, std::span<const std::uint32_t> code) const {
  StepForecast forecast{.horizon = options_.horizons[step], .is_known = true};
  const std::vector<double> share = classifier_.Probabilities(step, code);
  double below = 0.0;
  std::size_t q = 0;
  for (std::size_t b = 0; b < share.size(); ++b) {
    forecast.mean += share[b] * usual_[b];
    for (; q < forecast.quantile.size() && below + share[b] >= StepForecast::kShares[q]; ++q)
      forecast.quantile[q] = BeginOf(b) + width_ * (StepForecast::kShares[q] - below) / share[b];
    below += share[b];
  }
  // What rounding left out.
  for (; q < forecast.quantile.size(); ++q) forecast.quantile[q] = BeginOf(share.size());
  return forecast;
}

std::vector<StepForecast> BucketForecaster::Forecasts(std::span<const std::uint32_t> code) const {
  std::vector<StepForecast> steps;
  for (std::size_t s = 0; s < options_.horizons.size(); ++s) steps.push_back(Step(s, code));
  return steps;
}

}  // namespace weft::operators::sequence
