#include "cache/salience.h"

#include <algorithm>
#include <limits>

namespace weft::cache {

PairMix::PairMix(std::span<const std::uint64_t> count) {
  log_.reserve(count.size());
  std::uint64_t all = 0;
  for (const std::uint64_t n : count) {
    log_.push_back(CountLog(n));
    all += n;
  }
  log_all_ = CountLog(all);
}

gpu::Int128 PairMix::Information(std::span<const std::uint32_t> pairs,
                                 std::uint64_t interactions) const {
  gpu::Int128 information = 0;
  ForEachPair(pairs, [&](std::uint32_t slot, std::uint64_t count) {
    information += static_cast<gpu::Int128>(count) * (CountLog(count) - log_[slot]);
  });
  return information + static_cast<gpu::Int128>(interactions) * (log_all_ - CountLog(interactions));
}

std::int64_t PairMix::Salience(std::span<const std::uint32_t> pairs,
                               std::uint64_t interactions) const {
  const gpu::Int128 information =
      Information(pairs, interactions) >> (gpu::kFixedLogBits - kLikelihoodBits);
  constexpr gpu::Int128 kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp<gpu::Int128>(information, 0, kMost));
}

}  // namespace weft::cache
