// Episodes as vertices of graphs that are learned from: numbers about each, and what connects them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "operators/learn/relational_network.h"

namespace weft::operators::hierarchy {

// Numbers about an episode: its shape (level, interactions, duration, children, boundary, salience,
// how much the first named nodes and pairs take), then the square roots of the shares of its pairs
// in 32 slots. About 0 to 1 each.
inline constexpr std::size_t kVertexShape = 16;
inline constexpr std::size_t kVertexMix = 32;
inline constexpr std::size_t kVertexColumns = kVertexShape + kVertexMix;

struct EpisodeVertex {
  std::int32_t level = 1;
  std::int32_t node_count = 0;
  std::int64_t begin = 0, end = 0;                         // snapshots
  std::array<std::uint32_t, cache::kTopItems> nodes = {};  // that it names, rising
  std::array<float, kVertexColumns> columns = {};
};

// Whether it can be one, for what is loaded.
bool IsVertex(const EpisodeVertex& vertex);

// `pairs`: its pair list. `open`: it still grows.
EpisodeVertex MakeVertex(std::int32_t level, const cache::Episode& episode,
                         std::span<const std::uint32_t> pairs, bool open);

// Kinds of edges between episodes.
enum EpisodeEdge : std::size_t {
  kToNext,      // to the one of the level that begins where it ends
  kToPrevious,  // the other way
  kToParent,    // to the one of the level above that has it
  kToChild,     // the other way
  kSharing,     // to one of the 8 before or behind on the level that names many of the same nodes
  kEpisodeEdges,
};
// The kind of the same edges from the other end.
inline const std::vector<std::int32_t> kReverseEdges = {kToPrevious, kToNext, kToChild, kToParent,
                                                        kSharing};

// Nodes that two episodes name both, of those that either names; 0 without any (Jaccard).
double SharedNodes(const EpisodeVertex& one, const EpisodeVertex& other);

// Edges of each kind between episodes in any order, each kind rising.
std::vector<std::vector<learn::RelationalGraphs::Edge>> EdgesBetween(
    std::span<const EpisodeVertex> episodes);

}  // namespace weft::operators::hierarchy
