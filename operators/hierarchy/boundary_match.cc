#include "operators/hierarchy/boundary_match.h"

#include <algorithm>

#include "gpu/host_device.h"

namespace weft::operators::hierarchy {

// On a line, to take the first of each that are near enough is never worse than any other pair.
BoundaryFigures MatchBoundaries(std::span<const std::int64_t> found,
                                std::span<const std::int64_t> truth, std::int64_t tolerance) {
  BoundaryFigures figures;
  figures.found = static_cast<std::int64_t>(found.size());
  figures.truth = static_cast<std::int64_t>(truth.size());
  for (std::size_t f = 0, t = 0; f < found.size() && t < truth.size();) {
    const std::int64_t apart = found[f] - truth[t];
    if (apart > tolerance) {
      ++t;
    } else if (apart < -tolerance) {
      ++f;
    } else {
      ++figures.matched;
      ++f;
      ++t;
    }
  }
  const auto share = [&](std::int64_t of) {
    return of > 0 ? static_cast<double>(figures.matched) / static_cast<double>(of) : 0.0;
  };
  figures.precision = share(figures.found);
  figures.recall = share(figures.truth);
  figures.f1 = 2.0 * share(figures.found + figures.truth);
  return figures;
}

std::vector<std::int64_t> UniformBoundaries(std::int64_t count, std::int64_t length) {
  std::vector<std::int64_t> boundaries;
  for (std::int64_t i = 1; i <= count; ++i) boundaries.push_back(i * length / (count + 1));
  return boundaries;
}

std::vector<std::int64_t> RandomBoundaries(std::uint64_t seed, std::int64_t count,
                                           std::int64_t length) {
  std::vector<std::int64_t> boundaries;
  for (std::int64_t i = 0; i < count; ++i)
    boundaries.push_back(
        static_cast<std::int64_t>(gpu::CounterHash(seed, static_cast<std::uint64_t>(i), 0) %
                                  static_cast<std::uint64_t>(length)));
  std::ranges::sort(boundaries);
  return boundaries;
}

}  // namespace weft::operators::hierarchy
