// RankCalibration: how seldom a statistic was as large as now, from its own past: 1 for once in
// ten, 2 for once in a hundred, and so on. Beyond what was seen, a fitted tail goes on.
#pragma once

#include <algorithm>
#include <cstddef>

#include "operators/sequence/normal_tail.h"
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

  // Whether the past was given up just now: for 200 statistics nearly all were as large as few
  // before, so that something lasting has changed, and only these are the past from now on.
  bool has_forgotten() const { return has_forgotten_ != 0; }

  // Gives up the past but for the latest `count` statistics.
  void KeepLatest(std::size_t count);

  // Asks memory for what Next will look at, before and when its statistic is known.
  void Prefetch() const { ring_.Prefetch(); }
  void Prefetch(double statistic) const { ring_.Prefetch(Clamped(statistic)); }
  std::size_t bytes() const { return ring_.bytes(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.seen_);
    archive.Value(self.usual_);
    archive.Value(self.has_forgotten_);
    SortedRing::VisitState(self.ring_, archive);
  }

 private:
  static constexpr std::size_t kLasting = 200;

  static float Clamped(double statistic) {
    return static_cast<float>(std::clamp(statistic, -1e30, 1e30));
  }
  double Rarity(float statistic) const;
  void ForgetIfLasting(float statistic);

  RankOptions options_;
  SortedRing ring_;
  std::int64_t seen_ = 0;
  double usual_ = kLog10E;  // fading mean of the counted rarity, log10 e if nothing changes
  std::uint64_t has_forgotten_ = 0;
};

}  // namespace weft::operators::sequence
