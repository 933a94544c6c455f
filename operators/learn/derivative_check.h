// For tests: whether a gradient is the derivative of a loss, by finite differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::learn {

// Of each part [begin[p], begin[p + 1]) of the weights: along the gradient itself the derivative is
// the gradient's squared length, so any wrong entry shows. `loss` reads the weights, which are as
// before afterwards; `tolerance` is relative.
inline void ExpectDerivative(std::span<float> weights, const std::vector<float>& gradient,
                             const std::vector<std::int64_t>& begin,
                             const std::function<double()>& loss, double tolerance) {
  const std::vector<float> kept(weights.begin(), weights.end());
  for (std::size_t p = 0; p + 1 < begin.size(); ++p) {
    const auto first = static_cast<std::size_t>(begin[p]);
    const auto end = static_cast<std::size_t>(begin[p + 1]);
    double squared = 0;
    for (std::size_t i = first; i < end; ++i)
      squared += static_cast<double>(gradient[i]) * gradient[i];
    ASSERT_GT(squared, 0) << "part " << p;
    const double step = 1e-3 / std::sqrt(squared);
    double side[2];
    for (const int sign : {0, 1}) {
      std::copy(kept.begin(), kept.end(), weights.begin());
      for (std::size_t i = first; i < end; ++i)
        weights[i] += static_cast<float>((sign == 1 ? step : -step) * gradient[i]);
      side[sign] = loss();
    }
    EXPECT_NEAR((side[1] - side[0]) / (2 * step), squared, tolerance * squared) << "part " << p;
    std::copy(kept.begin(), kept.end(), weights.begin());
  }
}

}  // namespace weft::operators::learn
