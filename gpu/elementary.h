// Elementary functions that give the same bits on every machine: explicit fused steps, IEEE
// division, no libm (whose bits change with the CPU). Branch-free, so that loops over them
// vectorise.
//
// Errors against the true value, over all finite inputs that the comment names
// (elementary_test.cc):
//   Exp     2 ulp on [-87.3, 88]; 0 below, exp(88) above
//   Log     2 ulp for normal x > 0
//   Log1p   3 ulp for x >= 0
//   Tanh    4 ulp
//   Sigmoid 4 ulp where the result is at least 1e-37
// NaN gives NaN or garbage, never a trap: callers keep inputs finite.
#pragma once

#include <cstdint>

#include "gpu/host_device.h"

namespace weft::gpu {

namespace internal {

// x = n ln 2 + r with |r| <= ln(2)/2; returns exp(r) - 1 and sets `scale` to 2^n, for |x| <= 126
// ln 2.
WEFT_HD float ReducedExpm1(float x, float& scale) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440054690583e-4f;
  const float shifted = Fma(x, kLog2E, kRound);
  const float n = shifted - kRound;
  float r = Fma(n, -kLn2High, x);
  r = Fma(n, -kLn2Low, r);
  // The Taylor series to r^7: the next term is below 6e-9.
  float p = 1.0f / 5040.0f;
  p = Fma(p, r, 1.0f / 720.0f);
  p = Fma(p, r, 1.0f / 120.0f);
  p = Fma(p, r, 1.0f / 24.0f);
  p = Fma(p, r, 1.0f / 6.0f);
  p = Fma(p, r, 0.5f);
  scale = FloatOf((BitsOf(shifted) << 23) + 0x3f800000u);
  return Fma(p * r, r, r);
}

WEFT_HD float Clamp(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

}  // namespace internal

WEFT_HD float Exp(float x) {
  float scale;
  const float e = internal::ReducedExpm1(internal::Clamp(x, -87.3f, 88.0f), scale);
  return x < -87.3f ? 0.0f : Fma(scale, e, scale);
}

// Natural logarithm of a normal x > 0.
WEFT_HD float Log(float x) {
  // x = 2^n m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1).
  const std::uint32_t bits = BitsOf(x) - 0x3f3504f3u;
  const float n = static_cast<float>(static_cast<std::int32_t>(bits) >> 23);
  const float m = FloatOf((bits & 0x007fffffu) + 0x3f3504f3u);
  const float f = m - 1.0f;
  const float s = f / (2.0f + f);
  const float z = s * s;
  float p = 2.0f / 11.0f;
  p = Fma(p, z, 2.0f / 9.0f);
  p = Fma(p, z, 2.0f / 7.0f);
  p = Fma(p, z, 2.0f / 5.0f);
  p = Fma(p, z, 2.0f / 3.0f);
  p = p * z;
  // 2s = f - s f, exactly enough.
  const float log_m = f - Fma(s, f, -(s * p));
  return Fma(n, 0.693359375f, Fma(n, -2.12194440054690583e-4f, log_m));
}

// log(1 + x) for x >= 0.
WEFT_HD float Log1p(float x) {
  const float y = 1.0f + x;
  // What the addition lost, to first order.
  const float lost = x - (y - 1.0f);
  return Log(y) + (y > 16777216.0f ? 0.0f : lost / y);
}

WEFT_HD float Tanh(float x) {
  // tanh |x| = -m / (2 + m) with m = exp(-2|x|) - 1, exact near 0 because m is.
  const float magnitude = FloatOf(BitsOf(x) & 0x7fffffffu);
  float scale;
  const float e = internal::ReducedExpm1(internal::Clamp(magnitude, 0.0f, 20.0f) * -2.0f, scale);
  const float m = Fma(scale, e, scale - 1.0f);
  const float t = -m / (2.0f + m);
  return FloatOf(BitsOf(t) | (BitsOf(x) & 0x80000000u));
}

// 1 / (1 + exp(-x)).
WEFT_HD float Sigmoid(float x) {
  float scale;
  const float e = internal::ReducedExpm1(internal::Clamp(-x, -86.0f, 86.0f), scale);
  return 1.0f / (1.0f + Fma(scale, e, scale));
}

}  // namespace weft::gpu
