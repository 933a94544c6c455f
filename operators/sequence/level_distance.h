// LevelDistance: how far a value is from the recent mean, in mean absolute deviations.
#pragma once

#include <cmath>

#include "operators/sequence/fading_mean.h"
#include "operators/sequence/series_bounds.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class LevelDistance {
 public:
  // Of the values, about as many as count.
  explicit LevelDistance(double length = 100.0) : length_(length) {}

  double Of(double value, const SeriesBounds& bounds) const {
    return std::abs(value - level_.mean) / (level_.deviation + bounds.floor());
  }
  void Learn(double value) { level_.Add(value, length_); }
  double mean() const { return level_.mean; }

  // State to save, and to load into one of the same length.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.level_);
  }

 private:
  double length_;
  FadingMean level_;
};

}  // namespace weft::operators::sequence
