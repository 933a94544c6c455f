#include "cache/episode_sums.h"

#include <algorithm>
#include <limits>

namespace weft::cache {
namespace {

constexpr int kHalf = 32;

std::uint32_t Saturated(std::uint64_t count) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

std::uint64_t PairKey(std::uint32_t source, std::uint32_t target) {
  return static_cast<std::uint64_t>(source) << kHalf | target;
}

}  // namespace

void EpisodeSums::Add(std::span<const NodePair> interactions) {
  for (const auto [source, target] : interactions) {
    ++pair_count_[PairSlot(source, target)];
    nodes_.Add(source);
    if (target != source) nodes_.Add(target);
    pairs_.Add(PairKey(source, target));
  }
  interactions_ += interactions.size();
}

void EpisodeSums::Add(const Episode& episode, std::span<const std::uint32_t> pairs) {
  ForEachPair(pairs,
              [this](std::uint32_t slot, std::uint64_t count) { pair_count_[slot] += count; });
  interactions_ += episode.interactions;
  for (const TopNode& node : episode.nodes)
    if (node.count > 0) nodes_.Add(node.node, node.count);
  for (const TopPair& pair : episode.pairs)
    if (pair.count > 0) pairs_.Add(PairKey(pair.source, pair.target), pair.count);
}

void EpisodeSums::Add(const EpisodeSums& other) {
  if (other.interactions_ == 0) return;
  for (std::size_t slot = 0; slot < pair_count_.size(); ++slot)
    pair_count_[slot] += other.pair_count_[slot];
  interactions_ += other.interactions_;
  nodes_.Add(other.nodes_);
  pairs_.Add(other.pairs_);
}

void EpisodeSums::Clear() {
  if (interactions_ == 0) return;
  std::ranges::fill(pair_count_, 0);
  interactions_ = 0;
  nodes_.Clear();
  pairs_.Clear();
}

void EpisodeSums::Summarise(Episode& episode) const {
  episode.interactions = interactions_;
  episode.nodes = {};
  episode.pairs = {};
  std::size_t i = 0;
  for (const auto [key, count] : nodes_.Top(kTopItems))
    episode.nodes[i++] = {static_cast<std::uint32_t>(key), Saturated(count)};
  i = 0;
  for (const auto [key, count] : pairs_.Top(kTopItems))
    episode.pairs[i++] = {static_cast<std::uint32_t>(key >> kHalf), static_cast<std::uint32_t>(key),
                          Saturated(count)};
}

}  // namespace weft::cache
