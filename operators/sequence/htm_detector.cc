#include "operators/sequence/htm_detector.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

// 130 stretches of the range with a fifth of it on both sides.
RandomScalarEncoder::Options ValueEncoder(const HtmDetectorOptions& options) {
  constexpr double kStretches = 130.0, kPadded = 1.4, kLeast = 0.001;
  const double range = std::abs(options.most - options.least) * kPadded;
  return {.resolution = std::max(kLeast, (range > 0.0 ? range : 1.0) / kStretches),
          .seed = options.seed + 42};
}

constexpr DateTimeEncoder::Options kTimeEncoder = {.day_radius_hours = 9.49};

TemporalMemoryOptions Memory(std::uint64_t seed) {
  return {.activation_threshold = 20,
          .min_threshold = 13,
          .initial_permanence = 0.24,
          .permanence_increment = 0.04,
          .permanence_decrement = 0.008,
          .predicted_decrement = 0.001,
          .max_new_synapses = 31,
          .seed = seed + 1960};
}

}  // namespace

HtmDetector::HtmDetector(const HtmDetectorOptions& options)
    : value_encoder_(ValueEncoder(options)),
      time_encoder_(kTimeEncoder),
      pooler_(
          {.inputs = value_encoder_.size() + time_encoder_.size(), .seed = options.seed + 1956}),
      memory_(Memory(options.seed)),
      likelihood_({.learning = options.learning / 2,
                   .estimation = options.learning - options.learning / 2}) {}

bool HtmDetector::IsOutside(double value) const {
  constexpr double kTolerance = 0.05;
  if (count_ == 0 || low_ == high_) return false;
  const double tolerance = kTolerance * (high_ - low_);
  return value > high_ + tolerance || value < low_ - tolerance;
}

HtmVerdict HtmDetector::Next(graph::TimeUs time_us, double value) {
  SparseBits input;
  value_encoder_.Encode(value, input);
  time_encoder_.Encode(time_us, input);
  const auto columns = pooler_.Step(input.bits, /*learns=*/true);
  const std::int64_t predicted = memory_.Step(columns, /*learns=*/true);
  HtmVerdict verdict;
  if (!columns.empty())
    verdict.failed = 1.0 - static_cast<double>(predicted) / static_cast<double>(columns.size());
  const bool is_number = std::isfinite(value);
  verdict.score =
      AnomalyLikelihood::LogForm(likelihood_.Next(is_number ? value : 0.0, verdict.failed));
  if (!is_number) return verdict;
  if (IsOutside(value)) verdict.score = 1.0;
  low_ = count_ == 0 ? value : std::min(low_, value);
  high_ = count_ == 0 ? value : std::max(high_, value);
  ++count_;
  return verdict;
}

}  // namespace weft::operators::sequence
