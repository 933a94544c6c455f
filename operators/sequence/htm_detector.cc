#include "operators/sequence/htm_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weft::operators::sequence {
namespace {

// 130 stretches of the range with a fifth of it on both sides.
RandomScalarEncoder::Options NumberEncoder(const HtmField& field, std::uint64_t seed) {
  constexpr double kStretches = 130.0, kPadded = 1.4, kLeast = 0.001;
  const double range = std::abs(field.most - field.least) * kPadded;
  return {.resolution = std::max(kLeast, (range > 0.0 ? range : 1.0) / kStretches), .seed = seed};
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
          .max_synapses_per_segment = 64,
          .max_segments = 2048,
          .replaced_below = 0.24,
          .seed = seed + 1960};
}

}  // namespace

std::vector<HtmDetector::Encoder> HtmDetector::MakeEncoders(const HtmDetectorOptions& options) {
  constexpr std::int64_t kCategoryBits = 400, kCategoryActive = 21;
  std::vector<Encoder> encoders;
  for (std::size_t f = 0; f < options.fields.size(); ++f) {
    const std::uint64_t seed = options.seed + 42 + f;
    if (options.fields[f].kind == FieldKind::kNumber) {
      encoders.emplace_back(RandomScalarEncoder(NumberEncoder(options.fields[f], seed)));
    } else {
      encoders.emplace_back(
          CategoryEncoder({.bits = kCategoryBits, .active = kCategoryActive, .seed = seed}));
    }
  }
  return encoders;
}

std::int64_t HtmDetector::InputSize() const {
  std::int64_t size = time_encoder_.size();
  for (const Encoder& encoder : encoders_)
    size += std::visit([](const auto& one) { return one.size(); }, encoder);
  return size;
}

HtmDetector::HtmDetector(const HtmDetectorOptions& options)
    : encoders_(MakeEncoders(options)),
      time_encoder_(kTimeEncoder),
      pooler_({.inputs = InputSize(), .seed = options.seed + 1956}),
      memory_(Memory(options.seed)),
      code_(memory_.cell_count(), pooler_.column_count(), pooler_.input_count()),
      likelihood_({.learning = options.learning / 2,
                   .estimation = options.learning - options.learning / 2}),
      seen_(options.fields.size()) {}

void HtmDetector::Encode(std::size_t field, double value, SparseBits& to) const {
  if (const auto* const number = std::get_if<RandomScalarEncoder>(&encoders_[field]))
    return number->Encode(value, to);
  const auto& category = std::get<CategoryEncoder>(encoders_[field]);
  if (std::isfinite(value)) return category.Encode(std::bit_cast<std::uint64_t>(value), to);
  to.size += category.size();
}

bool HtmDetector::LeavesRange(std::size_t field, double value) {
  constexpr double kTolerance = 0.05;
  if (!std::isfinite(value) || !std::holds_alternative<RandomScalarEncoder>(encoders_[field]))
    return false;
  auto& [low, high, count] = seen_[field];
  const double tolerance = kTolerance * (high - low);
  const bool leaves =
      count > 0 && low != high && (value > high + tolerance || value < low - tolerance);
  low = count == 0 ? value : std::min(low, value);
  high = count == 0 ? value : std::max(high, value);
  ++count;
  return leaves;
}

HtmVerdict HtmDetector::Next(graph::TimeUs time_us, std::span<const double> values) {
  SparseBits input;
  for (std::size_t f = 0; f < values.size(); ++f) Encode(f, values[f], input);
  time_encoder_.Encode(time_us, input);
  const auto columns = pooler_.Step(input.bits, /*learns=*/true);
  const std::int64_t predicted = memory_.Step(columns, /*learns=*/true);
  code_.Set(memory_.active_cells(), columns, input.bits);
  HtmVerdict verdict;
  if (!columns.empty())
    verdict.failed = 1.0 - static_cast<double>(predicted) / static_cast<double>(columns.size());
  const double first = std::isfinite(values.front()) ? values.front() : 0.0;
  verdict.score = AnomalyLikelihood::LogForm(likelihood_.Next(first, verdict.failed));
  for (std::size_t f = 0; f < values.size(); ++f)
    if (LeavesRange(f, values[f])) verdict.score = 1.0;
  verdict.alarm = alarm_.Next(verdict.score);
  return verdict;
}

}  // namespace weft::operators::sequence
