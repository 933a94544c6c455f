// SparseBits: a sparse distributed representation (SDR): which few bits of many are on. What every
// sparse operator passes on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::sequence {

struct SparseBits {
  std::int64_t size = 0;            // bits that there are
  std::vector<std::uint32_t> bits;  // that are on, rising

  bool operator==(const SparseBits&) const = default;
};

// Bits that both have on.
std::int64_t Overlap(std::span<const std::uint32_t> one, std::span<const std::uint32_t> other);

// Of the same size; on where either is.
SparseBits Union(const SparseBits& one, const SparseBits& other);

// One behind the other.
void Append(const SparseBits& from, SparseBits& to);

// `count` of the bits that are on, drawn by the seed; all if there are no more.
SparseBits Subsample(const SparseBits& from, std::int64_t count, std::uint64_t seed);

// Of the bits that are on, round(share * count) go and as many others come, drawn by the seed.
SparseBits AddNoise(const SparseBits& from, double share, std::uint64_t seed);

// `count` different bits of `size`, drawn by the seed.
SparseBits RandomBits(std::int64_t size, std::int64_t count, std::uint64_t seed);

}  // namespace weft::operators::sequence
