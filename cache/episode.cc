#include "cache/episode.h"

#include <algorithm>
#include <cmath>

#include "cache/likelihood_ratio.h"

namespace weft::cache {
namespace {

constexpr int kBeginBits = 56;

int ScoreBits(std::int32_t level) { return level == 1 ? kLikelihoodBits : 2 * kLikelihoodBits; }

// The inverse of x ^ (x >> bits).
constexpr std::uint64_t Unshift(std::uint64_t x, int bits) {
  for (int shift = bits; shift < 64; shift *= 2) x ^= x >> shift;
  return x;
}

// The inverse of gpu::Mix64, which is a permutation: odd factors have inverses.
constexpr std::uint64_t Unmix64(std::uint64_t x) {
  x = Unshift(x, 31) * 0x319642b2d24d8ec3ull;
  x = Unshift(x, 27) * 0x96de1b173f119089ull;
  return Unshift(x, 30) - 0x9e3779b97f4a7c15ull;
}

}  // namespace

double SalienceNats(const Episode& episode) {
  return std::ldexp(static_cast<double>(episode.salience), -kLikelihoodBits);
}

double BoundaryStrength(std::int32_t level, std::int64_t score) {
  return std::ldexp(static_cast<double>(score), -ScoreBits(level));
}

std::int64_t FixedStrength(std::int32_t level, double strength) {
  constexpr double kMost = 9e18;
  const double score = std::ldexp(strength, ScoreBits(level));
  return static_cast<std::int64_t>(score > -kMost ? std::min(score, kMost) : -kMost);
}

std::uint64_t EpisodeId(EpisodePlace place) {
  return gpu::Mix64(static_cast<std::uint64_t>(place.level) << kBeginBits |
                    static_cast<std::uint64_t>(place.begin));
}

EpisodePlace PlaceOfId(std::uint64_t id) {
  const std::uint64_t key = Unmix64(id);
  return {static_cast<std::int32_t>(key >> kBeginBits),
          static_cast<std::int64_t>(key & ((std::uint64_t{1} << kBeginBits) - 1))};
}

}  // namespace weft::cache
