// WaitBins: the bins that a distribution of waits is told in, so that all that predict one are
// measured alike, whatever the resolution of the times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::link {

// Bins of about as many of the given waits each, fewer where waits are equal. The first reaches
// down to 0, the last has no end.
class WaitBins {
 public:
  // `waits` in seconds, above 0, at least one.
  WaitBins(std::vector<double> waits, std::int32_t bins);

  std::int32_t size() const { return static_cast<std::int32_t>(edge_.size()) + 1; }
  // Where the bins from the second on begin.
  std::span<const double> edges() const { return edge_; }
  std::int32_t BinOf(double wait) const;

  // A distribution is given as survival: the share of waits that reach each edge. Of a wait that
  // ended, the log probability of its bin; of one that lasted `wait` and may still go on, that of
  // reaching the edge below. No probability counts as less than 1e-9.
  double LogLikelihood(std::span<const double> survival, double wait, bool ended) const;
  // The wait that half of all reach, interpolated in its bin by the logarithm of time; the bins at
  // both ends count as far as the given waits went.
  double Median(std::span<const double> survival) const;

 private:
  double least_;
  double longest_;
  std::vector<double> edge_;
};

}  // namespace weft::operators::link
