// SeriesBounds: within what the values of a series lie, and how far from each other.
#pragma once

#include <algorithm>

#include "operators/sequence/fading_mean.h"

namespace weft::operators::sequence {

struct SeriesBounds {
  static constexpr double kSpreadLength = 3000.0;

  double low = 0.0, high = 0.0;  // seen so far
  FadingMean spread;             // of the values, long

  double range() const { return high - low; }
  // What is too little to matter.
  double floor() const { return 1e-6 + 1e-3 * range(); }
  void Learn(double value) {
    low = spread.count == 0.0 ? value : std::min(low, value);
    high = spread.count == 0.0 ? value : std::max(high, value);
    spread.Add(value, kSpreadLength);
  }
};

}  // namespace weft::operators::sequence
