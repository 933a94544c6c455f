// How well forecasts of a series hit what came (`weft eval sequence`): the forecaster, and what
// trivial ones would reach on the same records.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/sequence_forecaster.h"

namespace weft::operators::sequence {

// Over the scored records.
struct ForecastFigures {
  double mape = 0.0;   // sum of absolute errors over the sum of absolute values
  double nrmse = 0.0;  // root mean square error over the standard deviation of all values
  // Mean of -ln of the probability given to the bucket that came, at least .01.
  double nll = 0.0;
  double below_p10 = 0.0, below_p50 = 0.0, below_p90 = 0.0;  // shares of values below quantiles
};

enum class ForecastModel : std::uint8_t {
  kWeft,  // SequenceForecaster
  kHtm,   // HtmForecaster, which is told the range of the buckets
};

struct SequenceEvaluationOptions {
  ForecastModel model = ForecastModel::kWeft;
  std::uint64_t seed = 0;    // of kHtm
  ExpertSet without = {};    // ForecastExperts that kWeft is to do without
  std::int64_t horizon = 5;  // records ahead
  // Records that are not scored; below 0: the first 10,000, but at most 60 in 100.
  std::int64_t skip = -1;
  std::int64_t most = -1;  // records that are scored; below 0: all
  // Buckets of the probabilities, `bucket_count` of them with centres from least to most. Without
  // a range: 22 from 0, or a round number below the values, to a round number above them.
  std::int64_t bucket_count = 22;
  double least = 0.0, most_value = 0.0;
};

struct SequenceEvaluation {
  std::int64_t records = 0, scored = 0, missing = 0;
  double least = 0.0, most = 0.0;  // of the buckets
  ForecastFigures forecast, persistence, seasonal, histogram;
  std::size_t bytes = 0;      // of the model's state in the end
  double init_seconds = 0.0;  // of CPU time, to make the model
};

// Values that are not numbers are missing, and not scored. At least one record.
SequenceEvaluation EvaluateForecasts(std::span<const graph::TimeUs> time_us,
                                     std::span<const double> value,
                                     const SequenceEvaluationOptions& options);

}  // namespace weft::operators::sequence
