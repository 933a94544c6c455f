// What a kernel body may know of the machine that it runs on: function marking, fused multiply-add,
// bit casts, atomics, counter-based randomness. Included by host (g++) and device (nvcc)
// translation units alike.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__CUDACC__)
#define WEFT_HD __host__ __device__ __forceinline__
#else
#define WEFT_HD inline __attribute__((always_inline))
#endif

// Before a loop of at most 16 rounds over a local array: unrolled, the array lives in registers,
// and the loop around the body can be vectorised.
#if defined(__CUDACC__)
#define WEFT_UNROLL _Pragma("unroll")
#elif defined(__clang__)
#define WEFT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WEFT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace weft::gpu {

// a*b + c with one rounding. Contraction is off in both compilers, so that fused steps are exactly
// these.
WEFT_HD float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

WEFT_HD std::uint32_t BitsOf(float x) { return __builtin_bit_cast(std::uint32_t, x); }
WEFT_HD float FloatOf(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

// Relaxed fetch-max on device-visible memory. Commutative, so the final value does not depend on
// thread order: the building block of order-free kernels.
WEFT_HD std::uint64_t AtomicMax(std::uint64_t* p, std::uint64_t value) {
#if defined(__CUDA_ARCH__)
  return atomicMax(reinterpret_cast<unsigned long long*>(p),
                   static_cast<unsigned long long>(value));
#else
  std::atomic_ref<std::uint64_t> ref(*p);
  std::uint64_t old = ref.load(std::memory_order_relaxed);
  while (old < value && !ref.compare_exchange_weak(old, value, std::memory_order_relaxed)) {
  }
  return old;
#endif
}

// SplitMix64's finaliser (Steele, Lea, Flood 2014): randomness as a function of a counter, the same
// bits everywhere.
WEFT_HD std::uint64_t Mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// The random number of (seed, position, slot).
WEFT_HD std::uint64_t CounterHash(std::uint64_t seed, std::uint64_t position, std::uint64_t slot) {
  return Mix64(Mix64(Mix64(seed) ^ position) ^ slot);
}

// A 24-bit fraction of `hash` in [0, 1): exact in a float.
WEFT_HD float UnitFloat(std::uint64_t hash) {
  return static_cast<float>(hash >> 40) * (1.0f / 16777216.0f);
}

}  // namespace weft::gpu
