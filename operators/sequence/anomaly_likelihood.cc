#include "operators/sequence/anomaly_likelihood.h"

#include <algorithm>
#include <cmath>

#include "gpu/elementary.h"
#include "operators/sequence/elementary.h"
#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {

// To the moving averages of the past; to nothing where the values hardly vary.
void AnomalyLikelihood::Fit() {
  constexpr double kLeastMean = 0.03, kLeastVariance = 0.0003, kLeastValueVariance = 1.5e-5;
  const auto size = static_cast<std::int64_t>(history_.size());
  const std::int64_t begin = std::max<std::int64_t>(0, size - options_.history);
  const std::int64_t gone = std::max<std::int64_t>(0, count_ - options_.history);
  const std::int64_t skipped =
      std::min(count_, std::max<std::int64_t>(0, options_.learning - gone));
  double sum = 0.0, squares = 0.0, values = 0.0, value_squares = 0.0, counted = 0.0, window = 0.0;
  for (std::int64_t i = begin; i < size; ++i) {
    window += history_[static_cast<std::size_t>(i)].failed;
    if (i - begin >= options_.averaged)
      window -= history_[static_cast<std::size_t>(i - options_.averaged)].failed;
    if (i - begin < skipped) continue;
    const double average = window / static_cast<double>(std::min(i - begin + 1, options_.averaged));
    const double value = history_[static_cast<std::size_t>(i)].value;
    sum += average;
    squares += average * average;
    values += value;
    value_squares += value * value;
    counted += 1.0;
  }
  const double value_mean = counted > 0.0 ? values / counted : 0.0;
  if (counted == 0.0 || value_squares / counted - value_mean * value_mean < kLeastValueVariance) {
    mean_ = 0.5;
    deviation_ = 1000.0;
    return;
  }
  const double mean = sum / counted;
  mean_ = std::max(mean, kLeastMean);
  deviation_ = std::sqrt(std::max(squares / counted - mean * mean, kLeastVariance));
}

double AnomalyLikelihood::Next(double value, double failed) {
  constexpr double kSure = 1e-5, kSureAgain = 1e-3;
  const bool says = count_ >= options_.learning + options_.estimation;
  if (says && (deviation_ == 0.0 || count_ % options_.refit_every == 0)) Fit();
  if (static_cast<std::int64_t>(latest_.size()) < options_.averaged) {
    latest_.push_back(failed);
  } else {
    latest_[static_cast<std::size_t>(count_ % options_.averaged)] = failed;
  }
  double likelihood = 0.5;
  if (says) {
    double sum = 0.0;
    for (const double one : latest_) sum += one;
    const double distance = (sum / static_cast<double>(latest_.size()) - mean_) / deviation_;
    const double tail = static_cast<double>(
        gpu::Exp(static_cast<float>(-NormalTailLog10(std::abs(distance)) / kLog10E)));
    double unusual = distance >= 0.0 ? tail : 1.0 - tail;
    const bool sure = unusual <= kSure;
    if (sure && was_sure_ != 0) unusual = kSureAgain;
    was_sure_ = sure ? 1 : 0;
    likelihood = 1.0 - unusual;
  }
  if (static_cast<std::int64_t>(history_.size()) == 2 * options_.history)
    history_.erase(history_.begin(), history_.begin() + options_.history);
  history_.push_back({value, failed});
  ++count_;
  return likelihood;
}

double AnomalyLikelihood::LogForm(double likelihood) {
  constexpr double kScale = -23.02585084720009;
  return Log(1.0000000001 - likelihood) / kScale;
}

}  // namespace weft::operators::sequence
