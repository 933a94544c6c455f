// RankCalibration: how seldom a statistic was as large as now, from its own past: 1 for once in
// ten, 2 for once in a hundred, and so on. Beyond what was seen, a fitted tail goes on.
#pragma once

#include <cstddef>

#include "operators/sequence/sorted_ring.h"

namespace weft::operators::sequence {

struct RankOptions {
  std::size_t ring = 4000;    // statistics remembered
  std::int64_t skipped = 50;  // of the beginning, not remembered
  std::size_t fewest = 100;   // remembered before anything is said
};

// Thread-compatible. Exact.
class RankCalibration {
 public:
  static constexpr double kMost = 8.0;

  explicit RankCalibration(const RankOptions& options = {})
      : options_(options), ring_(options.ring) {}

  // -log10 of the share of the past that is at least `statistic`, 0 to kMost; 0 before there is
  // past enough. Then remembers it.
  double Next(double statistic);

  std::size_t bytes() const { return ring_.bytes(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.seen_);
    SortedRing::VisitState(self.ring_, archive);
  }

 private:
  double Rarity(float statistic) const;

  RankOptions options_;
  SortedRing ring_;
  std::int64_t seen_ = 0;
};

}  // namespace weft::operators::sequence
