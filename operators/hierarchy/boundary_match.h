// How well boundaries that were found agree with true ones, and what trivial guesses would reach.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::hierarchy {

// Of boundaries found, against true ones.
struct BoundaryFigures {
  std::int64_t found = 0, truth = 0;
  std::int64_t matched = 0;
  double precision = 0.0, recall = 0.0, f1 = 0.0;  // 0 where there is nothing to divide by
};

// Both rising. The most pairs of a found and a true boundary at most `tolerance` apart, each in one
// pair at most.
BoundaryFigures MatchBoundaries(std::span<const std::int64_t> found,
                                std::span<const std::int64_t> truth, std::int64_t tolerance);

// `count` boundaries within [0, length), equally far apart.
std::vector<std::int64_t> UniformBoundaries(std::int64_t count, std::int64_t length);
// Drawn with equal probability.
std::vector<std::int64_t> RandomBoundaries(std::uint64_t seed, std::int64_t count,
                                           std::int64_t length);

}  // namespace weft::operators::hierarchy
