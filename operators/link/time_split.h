// The parts of a stream for evaluation: train, then validation, then test, cut at quantiles of the
// event times.
#pragma once

#include <cstdint>
#include <span>

#include "graph/time.h"

namespace weft::operators::link {

// Half-open ranges of event indices: train [0, validation), validation [validation, test), test
// [test, end).
struct TimeSplit {
  std::int64_t validation = 0;
  std::int64_t test = 0;
  std::int64_t end = 0;
};

// `time_us` never falls. Train holds the times up to the `train` quantile, validation those up to
// the `train_validation` quantile, test the rest. Quantiles are interpolated linearly between
// neighbouring events, as numpy.quantile does.
TimeSplit SplitByTime(std::span<const graph::TimeUs> time_us, double train = 0.70,
                      double train_validation = 0.85);

}  // namespace weft::operators::link
