#include "operators/sequence/burst_likelihood.h"

#include <algorithm>
#include <cmath>

#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {

void BurstLikelihood::Fit() {
  constexpr double kLeastMean = 0.03, kLeastVariance = 0.0003;
  double sum = 0.0, squares = 0.0;
  for (const float mean : means_) {
    sum += static_cast<double>(mean);
    squares += static_cast<double>(mean) * static_cast<double>(mean);
  }
  const auto count = static_cast<double>(means_.size());
  mean_ = std::max(sum / count, kLeastMean);
  const double variance = squares / count - sum / count * (sum / count);
  deviation_ = std::sqrt(std::max(variance, kLeastVariance));
}

double BurstLikelihood::Next(double surprise) {
  constexpr double kHigh = 5.0, kHighAgain = 3.0, kNothing = 0.30102999566398119521;
  if (count_ >= kFirstFit && (count_ - kFirstFit) % kFitEvery == 0 && !means_.empty()) Fit();
  if (latest_.size() < kAveraged) {
    latest_.push_back(static_cast<float>(surprise));
  } else {
    latest_[static_cast<std::size_t>(count_) % kAveraged] = static_cast<float>(surprise);
  }
  double sum = 0.0;
  for (const float one : latest_) sum += static_cast<double>(one);
  const double mean = sum / static_cast<double>(latest_.size());
  double unusual = kNothing;
  if (deviation_ > 0.0) {
    const double distance = (mean - mean_) / deviation_;
    if (distance > 0.0) unusual = NormalTailLog10(distance);
  }
  // Only the beginning of a high stretch stays high.
  const bool high = unusual >= kHigh;
  if (high && was_high_ != 0) unusual = kHighAgain;
  was_high_ = high ? 1 : 0;
  if (++count_ > kSkipped) {
    if (means_.size() < kHistory) {
      means_.push_back(static_cast<float>(mean));
    } else {
      means_[next_mean_] = static_cast<float>(mean);
      next_mean_ = (next_mean_ + 1) % kHistory;
    }
  }
  return std::min(unusual, kMost);
}

}  // namespace weft::operators::sequence
