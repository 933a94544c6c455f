#include "operators/sequence/sparse_bits.h"

#include <algorithm>
#include <cmath>

#include "gpu/host_device.h"

namespace weft::operators::sequence {
namespace {

std::uint64_t Draw(std::uint64_t seed, std::uint64_t place, std::uint64_t bound) {
  return gpu::CounterHash(seed, place, 0x5d2) % bound;
}

// The first `count` of `values` are then drawn from all (Fisher and Yates).
void DrawFirst(std::vector<std::uint32_t>& values, std::size_t count, std::uint64_t seed) {
  for (std::size_t i = 0; i < count; ++i)
    std::swap(values[i], values[i + Draw(seed, i, values.size() - i)]);
}

}  // namespace

std::int64_t Overlap(std::span<const std::uint32_t> one, std::span<const std::uint32_t> other) {
  std::int64_t both = 0;
  auto a = one.begin();
  auto b = other.begin();
  while (a != one.end() && b != other.end()) {
    both += *a == *b ? 1 : 0;
    const bool first = *a <= *b, second = *b <= *a;
    a += first ? 1 : 0;
    b += second ? 1 : 0;
  }
  return both;
}

SparseBits Union(const SparseBits& one, const SparseBits& other) {
  SparseBits both;
  both.size = std::max(one.size, other.size);
  std::ranges::set_union(one.bits, other.bits, std::back_inserter(both.bits));
  return both;
}

void Append(const SparseBits& from, SparseBits& to) {
  for (const std::uint32_t bit : from.bits)
    to.bits.push_back(bit + static_cast<std::uint32_t>(to.size));
  to.size += from.size;
}

SparseBits Subsample(const SparseBits& from, std::int64_t count, std::uint64_t seed) {
  SparseBits sample = from;
  const auto kept = static_cast<std::size_t>(count);
  if (kept >= sample.bits.size()) return sample;
  DrawFirst(sample.bits, kept, seed);
  sample.bits.resize(kept);
  std::ranges::sort(sample.bits);
  return sample;
}

SparseBits AddNoise(const SparseBits& from, double share, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(from.bits.size());
  const std::int64_t moved =
      std::min(static_cast<std::int64_t>(std::floor(share * static_cast<double>(count) + 0.5)),
               from.size - count);
  SparseBits noisy = Subsample(from, count - moved, seed);
  for (std::uint64_t place = 0; static_cast<std::int64_t>(noisy.bits.size()) < count; ++place) {
    const auto bit =
        static_cast<std::uint32_t>(Draw(seed + 1, place, static_cast<std::uint64_t>(from.size)));
    if (std::ranges::binary_search(from.bits, bit)) continue;
    const auto at = std::ranges::lower_bound(noisy.bits, bit);
    if (at == noisy.bits.end() || *at != bit) noisy.bits.insert(at, bit);
  }
  return noisy;
}

SparseBits RandomBits(std::int64_t size, std::int64_t count, std::uint64_t seed) {
  SparseBits drawn;
  drawn.size = size;
  for (std::uint64_t place = 0; static_cast<std::int64_t>(drawn.bits.size()) < count; ++place) {
    const auto bit =
        static_cast<std::uint32_t>(Draw(seed, place, static_cast<std::uint64_t>(size)));
    const auto at = std::ranges::lower_bound(drawn.bits, bit);
    if (at == drawn.bits.end() || *at != bit) drawn.bits.insert(at, bit);
  }
  return drawn;
}

}  // namespace weft::operators::sequence
