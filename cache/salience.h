// Salience: how much an episode differs from the one that it is part of: the information in nats
// that is lost when its interactions are taken to be a sample of its parent's mix of pairs,
//   T KL(p || q) = sum over pairs of c ln((c / T) / (C / T')),
// with c of T interactions here and C of T' in the parent. Summed over the children of a parent it
// is the log likelihood ratio of the split, exactly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/likelihood_ratio.h"
#include "cache/pair_list.h"
#include "gpu/fixed_log.h"

namespace weft::cache {

// A mix of pairs that others are compared with.
class PairMix {
 public:
  // `count` for each slot, all of the interactions.
  explicit PairMix(std::span<const std::uint64_t> count);

  // Of an episode that the mix holds; in units of 2^-32. Logarithms are up to 2 units too low, so
  // that it can be negative by as much for each interaction.
  gpu::Int128 Information(std::span<const std::uint32_t> pairs, std::uint64_t interactions) const;
  // In units of 2^-24, 0 or more; stops at the largest number.
  std::int64_t Salience(std::span<const std::uint32_t> pairs, std::uint64_t interactions) const;

 private:
  std::vector<std::int64_t> log_;
  std::int64_t log_all_ = 0;
};

}  // namespace weft::cache
