// FixedLog: the natural logarithm of integers in fixed point, from integer operations alone, so
// that what is decided by comparing logarithms is decided alike on every machine.
#pragma once

#include <cstdint>

#include "gpu/host_device.h"

namespace weft::gpu {

// Products of 64-bit integers.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UnsignedInt128;

// One in the unit of FixedLog.
inline constexpr int kFixedLogBits = 32;

// ln(n) for n >= 1 in units of 2^-32, at most 2 units below the true value; 0 for n = 0. Bit by
// bit: the mantissa is squared, and each time that it reaches 2 the next bit of the binary
// logarithm is set (Feynman; Knuth 1.2.2, exercise 25). 32 wide multiplications.
WEFT_HD std::int64_t FixedLog(std::uint64_t n) {
  if (n < 2) return 0;
#if defined(__CUDA_ARCH__)
  const int zeros = __clzll(static_cast<long long>(n));
#else
  const int zeros = __builtin_clzll(n);
#endif
  // In [1, 2), in units of 2^-63.
  std::uint64_t mantissa = n << zeros;
  // In units of 2^-40; eight bits more than are returned.
  constexpr int kBits = kFixedLogBits + 8;
  std::uint64_t binary = static_cast<std::uint64_t>(63 - zeros) << kBits;
  for (int bit = kBits - 1; bit >= 0; --bit) {
    const auto square = static_cast<UnsignedInt128>(mantissa) * mantissa;  // units of 2^-126
    const bool reached = (square >> 127) != 0;
    if (reached) binary |= std::uint64_t{1} << bit;
    mantissa = static_cast<std::uint64_t>(square >> (reached ? 64 : 63));
  }
  constexpr std::uint64_t kLnOf2 = 0xb17217f7d1cf79abull;  // in units of 2^-64
  return static_cast<std::int64_t>((static_cast<UnsignedInt128>(binary) * kLnOf2) >>
                                   (64 + kBits - kFixedLogBits));
}

}  // namespace weft::gpu
