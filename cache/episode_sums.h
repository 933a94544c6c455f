// EpisodeSums: what an episode is made of while it grows: its interactions by pair slot, and the
// nodes and pairs that are named most.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "cache/frequent_items.h"
#include "cache/pair_list.h"

namespace weft::cache {

class EpisodeSums {
 public:
  EpisodeSums() : pair_count_(kPairSlots) {}

  void Add(std::span<const NodePair> interactions);
  // A whole episode of the level below, with its pair list.
  void Add(const Episode& episode, std::span<const std::uint32_t> pairs);
  void Add(const EpisodeSums& other);
  void Clear();

  std::uint64_t interactions() const { return interactions_; }
  std::span<const std::uint64_t> pair_count() const { return pair_count_; }
  // Sets what `episode` keeps of it but for the pair list.
  void Summarise(Episode& episode) const;

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.pair_count_);
    archive.Value(self.interactions_);
    FrequentItems::VisitState(self.nodes_, archive);
    FrequentItems::VisitState(self.pairs_, archive);
  }

 private:
  std::vector<std::uint64_t> pair_count_;
  std::uint64_t interactions_ = 0;
  FrequentItems nodes_;
  FrequentItems pairs_;  // source in the upper half of the key, target in the lower
};

}  // namespace weft::cache
