// What decides where an episode ends: how much better two sets of counts are explained apart than
// together. In integers: no floating-point logarithm decides a boundary, so that a stream is cut
// alike one snapshot at a time, in bulk, on any number of threads and on a GPU. Plain functions
// that kernels can call.
#pragma once

#include <cstdint>

#include "gpu/fixed_log.h"
#include "gpu/host_device.h"

namespace weft::cache {

// Likelihoods are in units of 2^-24.
inline constexpr int kLikelihoodBits = 24;
inline constexpr std::int64_t kLikelihoodOne = std::int64_t{1} << kLikelihoodBits;

// n ln n, from a table for small n, for n up to 20 billion. The table is borrowed.
struct CountEntropy {
  const std::int64_t* table;
  std::uint64_t table_size;

  // What the table holds at n.
  WEFT_HD static std::int64_t Compute(std::uint64_t n) {
    return static_cast<std::int64_t>(static_cast<gpu::UnsignedInt128>(n) *
                                         static_cast<std::uint64_t>(gpu::FixedLog(n)) >>
                                     (gpu::kFixedLogBits - kLikelihoodBits));
  }
  WEFT_HD std::int64_t operator()(std::uint64_t n) const {
    return n < table_size ? table[n] : Compute(n);
  }
};

// With a table of n < 8192 that lasts as long as the program.
const CountEntropy& TabledCountEntropy();

// ln(n), from a table for n < 8192; 0 for n = 0. In units of 2^-32, as gpu::FixedLog.
std::int64_t CountLog(std::uint64_t n);

// n ln(whole / part) for part <= whole.
WEFT_HD std::int64_t CountTimesLogRatio(std::uint64_t n, std::uint64_t whole, std::uint64_t part) {
  return static_cast<std::int64_t>(
      static_cast<gpu::UnsignedInt128>(n) *
          static_cast<std::uint64_t>(gpu::FixedLog(whole) - gpu::FixedLog(part)) >>
      (gpu::kFixedLogBits - kLikelihoodBits));
}

// The largest integer whose square is at most n.
WEFT_HD constexpr std::uint64_t IntegerSquareRoot(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const std::uint64_t larger = root | bit;
    if (larger * larger <= n) root = larger;
  }
  return root;
}

// Twice the log likelihood ratio of `compared` independent Poisson counts has that many degrees of
// freedom under one common rate. This is how many standard deviations it lies above its mean there,
// (2 S - d) / sqrt(2 d), in units of 2^-24; 0 without counts. `compared` < 2^22.
WEFT_HD constexpr std::int64_t DeviationsAboveChance(std::int64_t log_ratio,
                                                     std::int64_t compared) {
  if (compared == 0) return 0;
  constexpr int kRootBits = 28;
  // sqrt(2 d) in units of 2^-28.
  const std::uint64_t root = IntegerSquareRoot(static_cast<std::uint64_t>(2 * compared) << 40)
                             << (kRootBits - 20);
  const auto excess = static_cast<gpu::Int128>(2 * log_ratio - compared * kLikelihoodOne);
  return static_cast<std::int64_t>(excess * (std::int64_t{1} << kRootBits) /
                                   static_cast<std::int64_t>(root));
}

}  // namespace weft::cache
