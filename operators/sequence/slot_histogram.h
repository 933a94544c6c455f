// SlotHistogram: which values came at this time of the week, in buckets, the latest count most.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {

// Buckets are equally wide and cover [-kReach, kReach); what lies beyond falls into the outermost.
// Thread-compatible. Exact.
class SlotHistogram {
 public:
  static constexpr double kWidth = 0.19;
  static constexpr std::int64_t kBuckets = 40;
  static constexpr double kReach = kWidth * kBuckets / 2.0;

  SlotHistogram() : counts_(static_cast<std::size_t>(kWeekSlots * kBuckets)) {}

  static std::int64_t BucketOf(double value);
  static double BeginOf(std::int64_t bucket) {
    return static_cast<double>(bucket) * kWidth - kReach;
  }

  // Probabilities of the buckets at a time of the week, those of the half hours before and behind
  // counting half.
  std::vector<double> At(std::int32_t week_slot) const;
  void Add(std::int32_t week_slot, double value);

  // Asks memory for what At will look at.
  void Prefetch(std::int32_t week_slot) const {
    constexpr std::size_t kLineCounts = 16;
    for (std::int64_t off = -1; off <= 1; ++off) {
      const auto counts = Of(week_slot + off);
      for (std::size_t b = 0; b < counts.size(); b += kLineCounts)
        __builtin_prefetch(counts.data() + b);
    }
  }
  std::size_t bytes() const { return counts_.capacity() * sizeof(float); }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.counts_);
  }

 private:
  std::span<float> Of(std::int64_t week_slot);
  std::span<const float> Of(std::int64_t week_slot) const;

  std::vector<float> counts_;
};

}  // namespace weft::operators::sequence
