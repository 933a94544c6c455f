#include "operators/link/wait_bins.h"

#include <algorithm>
#include <cmath>

#include "graph/check.h"

namespace weft::operators::link {

WaitBins::WaitBins(std::vector<double> waits, std::int32_t bins) {
  WEFT_CHECK(!waits.empty() && bins > 0);
  std::sort(waits.begin(), waits.end());
  least_ = waits.front();
  longest_ = waits.back();
  for (std::int32_t bin = 1; bin < bins; ++bin) {
    const double edge =
        waits[waits.size() * static_cast<std::size_t>(bin) / static_cast<std::size_t>(bins)];
    if (edge > (edge_.empty() ? least_ : edge_.back())) edge_.push_back(edge);
  }
}

std::int32_t WaitBins::BinOf(double wait) const {
  return static_cast<std::int32_t>(std::upper_bound(edge_.begin(), edge_.end(), wait) -
                                   edge_.begin());
}

double WaitBins::LogLikelihood(std::span<const double> survival, double wait, bool ended) const {
  constexpr double kLeast = 1e-9;
  const auto bin = static_cast<std::size_t>(BinOf(wait));
  const double from = bin == 0 ? 1.0 : survival[bin - 1];
  const double to = !ended || bin == survival.size() ? 0.0 : survival[bin];
  return std::log(std::max(kLeast, from - to));
}

double WaitBins::Median(std::span<const double> survival) const {
  std::size_t bin = 0;
  while (bin < survival.size() && survival[bin] >= 0.5) ++bin;
  const double from = bin == 0 ? 1.0 : survival[bin - 1];
  const double to = bin == survival.size() ? 0.0 : survival[bin];
  const double begin = std::log(bin == 0 ? least_ : edge_[bin - 1]);
  const double end = std::log(bin == edge_.size() ? longest_ : edge_[bin]);
  return std::exp(begin + (from - 0.5) / (from - to) * (end - begin));
}

}  // namespace weft::operators::link
