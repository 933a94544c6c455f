// StepForecast: where a series will be some records ahead, in four numbers.
#pragma once

#include <array>
#include <cstdint>

namespace weft::operators::sequence {

struct StepForecast {
  static constexpr std::array<double, 3> kShares = {0.1, 0.5, 0.9};

  std::int64_t horizon = 1;  // records ahead
  bool is_known = false;     // not yet, else
  double mean = 0.0;
  std::array<double, kShares.size()> quantile = {};  // of kShares
};

}  // namespace weft::operators::sequence
