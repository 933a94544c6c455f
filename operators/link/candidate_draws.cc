#include "operators/link/candidate_draws.h"

#include <algorithm>
#include <utility>

#include "gpu/host_device.h"

namespace weft::operators::link {
namespace {

// Draws for each candidate before the draw gives up and looks at everything.
constexpr std::uint64_t kTries = 32;

bool Contains(const std::vector<graph::NodeId>& nodes, graph::NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

std::vector<graph::NodeId> DrawCandidates(CandidateSources sources, std::size_t historical,
                                          std::size_t count, std::uint64_t seed,
                                          std::uint64_t position) {
  std::vector<graph::NodeId> candidates = std::move(sources.past);
  const std::size_t kept = std::min({historical, count, candidates.size()});
  std::uint64_t slot = 0;
  for (; slot < kept; ++slot) {
    const std::uint64_t left = candidates.size() - slot;
    std::swap(candidates[slot], candidates[slot + gpu::CounterHash(seed, position, slot) % left]);
  }
  candidates.resize(kept);

  const auto add = [&](graph::NodeId target) {
    if (!Contains(candidates, target) && !sources.happened(target)) candidates.push_back(target);
  };
  std::uint64_t place = 0;
  for (const std::uint64_t end = slot + kTries * count;
       slot < end && candidates.size() < count && sources.pool_size > 0; ++slot) {
    place = gpu::CounterHash(seed, position, slot) % sources.pool_size;
    add(sources.pool(place));
  }
  // Nearly all targets are in or happened: those that are left, from here on.
  for (std::uint64_t step = 1; step <= sources.pool_size && candidates.size() < count; ++step)
    add(sources.pool((place + step) % sources.pool_size));
  return candidates;
}

}  // namespace weft::operators::link
