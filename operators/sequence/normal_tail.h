// Tails of the normal distribution, the same bits on every machine.
#pragma once

#include <cmath>

#include "operators/sequence/elementary.h"

namespace weft::operators::sequence {

inline constexpr double kLog10E = 0.43429448190325182765;

// log10 of a normal x > 0.
inline double Log10(double x) { return kLog10E * Log(x); }

// -log10 of the probability that a standard normal number is z or more, for z >= 0; to 1e-6.
inline double NormalTailLog10(double z) {
  constexpr double kLogRootTwoPi = 0.91893853320467274178;
  if (z < 2.0) {
    // 1/2 less the density times z + z^3/3 + z^5/15 + ...
    double term = z, sum = z;
    for (int k = 3; k < 60; k += 2) {
      term *= z * z / k;
      sum += term;
    }
    const double density = Exp(-0.5 * z * z - kLogRootTwoPi);
    return -Log10(0.5 - density * sum);
  }
  // Mills' ratio as a continued fraction: 1 / (z + 1 / (z + 2 / (z + ...))).
  double fraction = z;
  for (int k = 60; k >= 1; --k) fraction = z + k / fraction;
  return kLog10E * (0.5 * z * z + kLogRootTwoPi) + Log10(fraction);
}

}  // namespace weft::operators::sequence
