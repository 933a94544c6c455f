// BucketForecaster: where a series will be, from a sparse code of now: an SDR classifier over
// buckets of the values, and the mean of the values that were in each lately.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/sdr_classifier.h"
#include "operators/sequence/step_forecast.h"

namespace weft::operators::sequence {

struct BucketForecasterOptions {
  std::int64_t bits = 0;                     // of the code
  double least = 0.0, most = 1.0;            // that values are expected to have
  std::int64_t buckets = 22;                 // of which two lie on each side of the range
  std::vector<std::int64_t> horizons = {1};  // records ahead, rising
  double rate = 1.4;                         // SdrClassifierOptions::rate
};

// Thread-compatible. Exact.
class BucketForecaster {
 public:
  explicit BucketForecaster(const BucketForecasterOptions& options);

  // A record came with this code. A value that is not a number is missing, and teaches nothing.
  void Learn(std::span<const std::uint32_t> code, double value);
  // By horizon.
  std::vector<StepForecast> Forecasts(std::span<const std::uint32_t> code) const;

  std::size_t bytes() const { return classifier_.bytes(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    SdrClassifier::VisitState(self.classifier_, archive);
    archive.Fixed(self.usual_);
  }

 private:
  std::size_t BucketOf(double value) const;
  double BeginOf(std::size_t bucket) const;
  StepForecast Step(std::size_t step, std::span<const std::uint32_t> code) const;

  BucketForecasterOptions options_;
  double width_;  // of a bucket
  SdrClassifier classifier_;
  std::vector<double> usual_;  // of each bucket
};

}  // namespace weft::operators::sequence
