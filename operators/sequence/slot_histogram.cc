#include "operators/sequence/slot_histogram.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {

std::int64_t SlotHistogram::BucketOf(double value) {
  const double place = std::clamp((value + kReach) / kWidth, 0.0, kBuckets - 0.5);
  return static_cast<std::int64_t>(place);
}

std::span<float> SlotHistogram::Of(std::int64_t week_slot) {
  const std::int64_t slot = (week_slot + kWeekSlots) % kWeekSlots;
  return std::span(counts_).subspan(static_cast<std::size_t>(slot * kBuckets), kBuckets);
}
std::span<const float> SlotHistogram::Of(std::int64_t week_slot) const {
  const std::int64_t slot = (week_slot + kWeekSlots) % kWeekSlots;
  return std::span(counts_).subspan(static_cast<std::size_t>(slot * kBuckets), kBuckets);
}

std::vector<double> SlotHistogram::At(std::int32_t week_slot) const {
  constexpr double kAnywhere = 0.02;
  std::vector<double> probability(static_cast<std::size_t>(kBuckets), kAnywhere);
  double all = kAnywhere * static_cast<double>(kBuckets);
  for (std::int64_t off = -1; off <= 1; ++off) {
    const auto counts = Of(week_slot + off);
    const double weight = off == 0 ? 1.5 : 0.5;
    for (std::size_t b = 0; b < counts.size(); ++b) {
      probability[b] += weight * static_cast<double>(counts[b]);
      all += weight * static_cast<double>(counts[b]);
    }
  }
  for (double& one : probability) one /= all;
  return probability;
}

void SlotHistogram::Add(std::int32_t week_slot, double value) {
  constexpr float kKept = 0.9f;
  const auto counts = Of(week_slot);
  for (float& count : counts) count *= kKept;
  counts[static_cast<std::size_t>(BucketOf(value))] += 1.0f;
}

}  // namespace weft::operators::sequence
