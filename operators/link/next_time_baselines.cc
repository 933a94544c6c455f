#include "operators/link/next_time_baselines.h"

#include <cmath>

namespace weft::operators::link {

WaitPrediction MarginalPrediction(const HeadRows& rows, std::int64_t train_end,
                                  const WaitBins& bins) {
  WaitPrediction prediction;
  double survival = 1.0;
  for (std::int64_t l = 0; l < rows.logits; ++l) {
    double reached = 0.0, ended = 0.0;
    for (std::int64_t i = l; i < train_end * rows.logits; i += rows.logits) {
      reached += static_cast<double>(rows.weight[static_cast<std::size_t>(i)]);
      ended += static_cast<double>(rows.answer[static_cast<std::size_t>(i)]);
    }
    if (reached > 0.0) survival *= 1.0 - ended / reached;
    prediction.survival.push_back(survival);
  }
  prediction.median = bins.Median(prediction.survival);
  return prediction;
}

WaitPrediction ExponentialPrediction(const KnownWaits& known, double prior, const WaitBins& bins) {
  const double mean = SmoothedMeanSeconds(known.own, known.all, prior);
  WaitPrediction prediction = {.survival = {}, .median = mean * std::log(2.0)};
  for (const double edge : bins.edges()) prediction.survival.push_back(std::exp(-edge / mean));
  return prediction;
}

WaitPrediction LogNormalPrediction(const KnownWaits& known, double prior, const WaitBins& bins) {
  const LogWait wait = SmoothedLogWait(known.own, known.all, prior);
  WaitPrediction prediction = {.survival = {}, .median = std::exp(wait.mean)};
  const double scale = std::sqrt(2.0 * wait.variance);
  for (const double edge : bins.edges())
    prediction.survival.push_back(0.5 * std::erfc((std::log(edge) - wait.mean) / scale));
  return prediction;
}

}  // namespace weft::operators::link
