// What predicts waits without learning: one distribution for all, and for each its own past waits.
#pragma once

#include <vector>

#include "operators/link/head_training.h"
#include "operators/link/wait_bins.h"
#include "operators/link/wait_history.h"

namespace weft::operators::link {

// A wait that ended after so many seconds, or was seen to last so long.
struct ObservedWait {
  double seconds;
  bool ended;
};

// A distribution as WaitBins takes it, and its median in seconds.
struct WaitPrediction {
  std::vector<double> survival;
  double median = 0.0;
};

// When a question was asked: the waits of the own source or pair, and those of all.
struct KnownWaits {
  WaitRecord own;
  WaitRecord all;
};

// The shares of the first `train_end` rows, whose logits are hazards, waits that did not end
// included (Kaplan and Meier 1958).
WaitPrediction MarginalPrediction(const HeadRows& rows, std::int64_t train_end,
                                  const WaitBins& bins);
// With the own mean, as if `prior` waits of the mean of all had come before.
WaitPrediction ExponentialPrediction(const KnownWaits& known, double prior, const WaitBins& bins);
// With the own mean and variance of the logarithm, likewise.
WaitPrediction LogNormalPrediction(const KnownWaits& known, double prior, const WaitBins& bins);

}  // namespace weft::operators::link
