// How alike the mixes of pairs of episodes are: sum over the slots of sqrt(p q), which is 1 for
// equal mixes and 0 for those that have nothing in common (Bhattacharyya 1943). In floating point,
// but the same bits on every machine.
#pragma once

#include <cstdint>
#include <span>

#include "cache/episode.h"
#include "cache/episode_ring.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"

namespace weft::cache {

// Affinities with one mix. Thread-compatible.
class MixAffinity {
 public:
  // `pairs`: a count for each slot.
  MixAffinity(std::span<const std::uint64_t> pairs, const gpu::Exec& exec);

  // Of the episodes [begin, begin + affinity.size()) that `ring` keeps.
  void Of(const EpisodeRing& ring, std::int64_t begin, std::span<float> affinity) const;

 private:
  gpu::Exec exec_;
  gpu::Buffer<float> wanted_;  // square roots of the shares
  gpu::Buffer<float> root_;    // of small counts
};

// ------------------------------------------------------------------------------------------------
// kernels

inline constexpr std::uint64_t kTabledRoots = 4096;

struct AffinityArguments {
  const Episode* episodes;
  std::int64_t episode_places;  // a power of two
  const std::uint32_t* words;
  std::uint64_t word_places;
  const float* wanted;  // of each slot
  const float* root;    // of counts below kTabledRoots
  std::int64_t first;   // number of the episode of index 0
  float* affinity;
};

template <class E>
void MixAffinityOn(const E& exec, std::int64_t count, const AffinityArguments& arguments);

}  // namespace weft::cache
