#include "operators/sequence/htm_forecaster.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

constexpr double kMinutes = 24.0 * 60.0;

}  // namespace

HtmForecaster::HtmForecaster(const HtmForecasterOptions& options)
    : options_(options),
      value_encoder_({.least = options.least, .most = options.most, .bits = 109, .active = 29}),
      day_encoder_({.most = kMinutes, .bits = 600, .active = 29, .periodic = true}),
      week_encoder_({.most = 7.0, .bits = 100, .active = 29, .periodic = true}),
      pooler_({.inputs = value_encoder_.size() + day_encoder_.size() + week_encoder_.size(),
               .connected_permanence = 0.5,
               .active_increment = 0.0001,
               .inactive_decrement = 0.0005,
               .seed = options.seed + 1956}),
      memory_({.cells_per_column = 16,
               .activation_threshold = 15,
               .min_threshold = 15,
               .predicted_decrement = 0.01,
               .max_new_synapses = 32,
               .max_synapses_per_segment = 32,
               .seed = options.seed + 1960}),
      code_(memory_.cell_count(), pooler_.column_count(), pooler_.input_count()),
      classifier_({.bits = code_.width(), .classes = options.buckets, .steps = {options.horizon}}) {
}

SparseBits HtmForecaster::Encode(graph::TimeUs time_us, double value) const {
  constexpr double kMinuteUs = 60e6;
  const double minutes = static_cast<double>(time_us) / kMinuteUs;
  const double of_day = minutes - std::floor(minutes / kMinutes) * kMinutes;
  // The first of January 1970 was a Thursday, which is 3 from Monday on.
  const double days = std::floor(minutes / kMinutes) + 3.0;
  SparseBits input;
  value_encoder_.Encode(value, input);
  day_encoder_.Encode(of_day, input);
  week_encoder_.Encode(days - std::floor(days / 7.0) * 7.0, input);
  return input;
}

std::int64_t HtmForecaster::BucketOf(double value) const {
  const double width = (options_.most - options_.least) / static_cast<double>(options_.buckets - 1);
  const auto bucket = static_cast<std::int64_t>(std::floor((value - options_.least) / width + 0.5));
  return std::clamp<std::int64_t>(bucket, 0, options_.buckets - 1);
}

void HtmForecaster::Prepare(std::span<const graph::TimeUs> time_us, std::span<const double> value) {
  constexpr int kPasses = 5;
  for (int pass = 0; pass < kPasses; ++pass)
    for (std::size_t i = 0; i < value.size(); ++i)
      pooler_.Step(Encode(time_us[i], value[i]).bits, /*learns=*/true);
}

std::vector<double> HtmForecaster::Next(graph::TimeUs time_us, double value) {
  const SparseBits input = Encode(time_us, value);
  const auto columns = pooler_.Step(input.bits, /*learns=*/false);
  memory_.Step(columns, /*learns=*/true);
  code_.Set(memory_.active_cells(), columns, input.bits);
  if (std::isfinite(value)) classifier_.Learn(code_.bits(), BucketOf(value));
  return classifier_.Probabilities(0, code_.bits());
}

}  // namespace weft::operators::sequence
