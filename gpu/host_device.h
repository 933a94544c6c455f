// What a kernel body may know of the machine that it runs on: function marking, fused multiply-add,
// bit casts, atomics, counter-based randomness. Included by host (g++) and device (nvcc)
// translation units alike.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__AVX2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

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

WEFT_HD std::int32_t PopCount(std::uint64_t bits) {
#if defined(__CUDA_ARCH__)
  return __popcll(bits);
#else
  return __builtin_popcountll(bits);
#endif
}

// How far beyond their end EqualMask and BitsAt may read arrays.
inline constexpr std::int64_t kReadPadding = 8;

// The lowest `count` <= 64 bits set.
WEFT_HD std::uint64_t LowBits(std::int32_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

// Bit i of the result: values[i] == value, for i < count <= 64. Values are read in eights, so up to
// kReadPadding - 1 behind the last one must be readable.
WEFT_HD std::uint64_t EqualMask(const std::uint32_t* values, std::int32_t count,
                                std::uint32_t value) {
  std::uint64_t mask = 0;
#if defined(__AVX2__) && !defined(__CUDACC__)
  const __m256i wanted = _mm256_set1_epi32(static_cast<int>(value));
  for (std::int32_t i = 0; i < count; i += 8) {
    const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i));
    const __m256 equal = _mm256_castsi256_ps(_mm256_cmpeq_epi32(lanes, wanted));
    mask |= static_cast<std::uint64_t>(_mm256_movemask_ps(equal)) << i;
  }
  return mask & LowBits(count);
#else
  for (std::int32_t i = 0; i < count; ++i)
    mask |= static_cast<std::uint64_t>(values[i] == value ? 1 : 0) << i;
  return mask;
#endif
}

// is_on[i] = bit places[i] of `bits`, for i < count. Places are read and results written in eights,
// so up to kReadPadding - 1 behind the last one must be there, with places of bits that are.
WEFT_HD void BitsAt(const std::uint32_t* bits, const std::uint16_t* places, std::int64_t count,
                    std::int16_t* is_on) {
#if defined(__AVX2__) && !defined(__CUDACC__)
  for (std::int64_t i = 0; i < count; i += 8) {
    const __m256i place =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(places + i)));
    const __m256i word =
        _mm256_i32gather_epi32(reinterpret_cast<const int*>(bits), _mm256_srli_epi32(place, 5), 4);
    const __m256i bit =
        _mm256_and_si256(_mm256_srlv_epi32(word, _mm256_and_si256(place, _mm256_set1_epi32(31))),
                         _mm256_set1_epi32(1));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(is_on + i),
        _mm_packs_epi32(_mm256_castsi256_si128(bit), _mm256_extracti128_si256(bit, 1)));
  }
#else
  for (std::int64_t i = 0; i < count; ++i)
    is_on[i] = static_cast<std::int16_t>(bits[places[i] / 32] >> (places[i] % 32) & 1);
#endif
}

// Place of the lowest bit that is set; `bits` is not 0.
WEFT_HD std::int32_t LowestBit(std::uint64_t bits) {
#if defined(__CUDA_ARCH__)
  return __ffsll(static_cast<long long>(bits)) - 1;
#else
  return __builtin_ctzll(bits);
#endif
}

// Asks for the cache lines of [begin, begin + bytes), which are about to be read. Nothing on a
// device.
WEFT_HD void Prefetch(const void* begin, std::int64_t bytes) {
#if !defined(__CUDA_ARCH__)
  constexpr std::int64_t kLine = 64;
  const auto* const first = static_cast<const std::byte*>(begin);
  for (std::int64_t at = 0; at < bytes; at += kLine) __builtin_prefetch(first + at);
  __builtin_prefetch(first + bytes - 1);
#endif
}

// MurmurHash3's 32-bit finaliser (Appleby 2008).
WEFT_HD std::uint32_t Mix32(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
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
