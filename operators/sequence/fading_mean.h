// FadingMean: mean and mean absolute deviation of what came lately.
#pragma once

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {

// Weights fall by 1/e every `length` values, once there are so many; before, all weigh the same.
struct FadingMean {
  double count = 0.0;
  double mean = 0.0;
  double deviation = 0.0;

  void Add(double value, double length) {
    count += 1.0;
    const double rate = std::max(1.0 / count, 1.0 / length);
    const double distance = count == 1.0 ? 0.0 : value - mean;
    mean = count == 1.0 ? value : mean + rate * distance;
    deviation += rate * (std::abs(distance) - deviation);
  }
};

}  // namespace weft::operators::sequence
