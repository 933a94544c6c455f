#include "operators/hierarchy/episode_vertex.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cache/episode_tree.h"
#include "cache/pair_list.h"
#include "operators/hierarchy/log_scale.h"

namespace weft::operators::hierarchy {
namespace {

constexpr double kShared = 0.3;          // of the nodes that two episodes name
constexpr std::size_t kSharedReach = 8;  // episodes before

float ShareOf(std::uint32_t count, std::uint64_t all) {
  return all == 0 ? 0.0f : static_cast<float>(count) / static_cast<float>(all);
}

void FillShape(const cache::Episode& episode, std::size_t pairs, bool open, EpisodeVertex& vertex) {
  const auto interactions = static_cast<double>(episode.interactions);
  const double seconds = graph::Seconds(episode.end_us - episode.begin_us);
  const double snapshots = static_cast<double>(episode.end - episode.begin);
  float* const column = vertex.columns.data();
  column[0] = static_cast<float>(vertex.level) / 4.0f;
  column[1] = Log1p(interactions) / 8.0f;
  column[2] = Log1p(seconds) / 8.0f;
  column[3] = Log1p(static_cast<double>(episode.child_count)) / 4.0f;
  column[4] = Log1p(interactions / std::max(snapshots, 1.0)) / 4.0f;
  column[5] = Log1p(cache::BoundaryStrength(vertex.level, episode.score)) / 2.0f;
  column[6] = Log1p(cache::SalienceNats(episode)) / 8.0f;
  for (std::size_t i = 0; i < 2; ++i) {
    column[7 + i] = ShareOf(episode.nodes[i].count, episode.interactions);
    column[9 + i] = ShareOf(episode.pairs[i].count, episode.interactions);
  }
  column[11] = Log1p(static_cast<double>(pairs)) / 8.0f;
  column[12] = open ? 1.0f : 0.0f;
  for (std::size_t i = 0; i < cache::kTopItems; ++i) {
    const float node = ShareOf(episode.nodes[i].count, episode.interactions);
    const float pair = ShareOf(episode.pairs[i].count, episode.interactions);
    column[13] += node * node;
    column[14] += pair * pair;
  }
  column[15] = 1.0f;
}

}  // namespace

bool IsVertex(const EpisodeVertex& vertex) {
  return vertex.level >= 1 && vertex.level <= cache::kMostLevels && vertex.node_count >= 0 &&
         vertex.node_count <= static_cast<std::int32_t>(cache::kTopItems);
}

EpisodeVertex MakeVertex(std::int32_t level, const cache::Episode& episode,
                         std::span<const std::uint32_t> pairs, bool open) {
  EpisodeVertex vertex;
  vertex.level = level;
  vertex.begin = episode.begin;
  vertex.end = episode.end;
  for (const cache::TopNode& node : episode.nodes)
    if (node.count > 0) vertex.nodes[static_cast<std::size_t>(vertex.node_count++)] = node.node;
  std::sort(vertex.nodes.begin(), vertex.nodes.begin() + vertex.node_count);
  FillShape(episode, pairs.size(), open, vertex);
  std::array<std::uint64_t, kVertexMix> mix = {};
  cache::ForEachPair(
      pairs, [&mix](std::uint32_t slot, std::uint64_t count) { mix[slot % kVertexMix] += count; });
  if (episode.interactions == 0) return vertex;
  for (std::size_t i = 0; i < kVertexMix; ++i)
    vertex.columns[kVertexShape + i] =
        std::sqrt(static_cast<float>(mix[i]) / static_cast<float>(episode.interactions));
  return vertex;
}

double SharedNodes(const EpisodeVertex& one, const EpisodeVertex& other) {
  std::int32_t i = 0, j = 0, both = 0;
  while (i < one.node_count && j < other.node_count) {
    const std::uint32_t a = one.nodes[static_cast<std::size_t>(i)];
    const std::uint32_t b = other.nodes[static_cast<std::size_t>(j)];
    both += a == b ? 1 : 0;
    i += a <= b ? 1 : 0;
    j += b <= a ? 1 : 0;
  }
  const std::int32_t either = one.node_count + other.node_count - both;
  return either == 0 ? 0.0 : static_cast<double>(both) / static_cast<double>(either);
}

std::vector<std::vector<learn::RelationalGraphs::Edge>> EdgesBetween(
    std::span<const EpisodeVertex> episodes) {
  std::map<std::int32_t, std::vector<std::uint32_t>> levels;  // places by rising begin
  for (std::uint32_t i = 0; i < episodes.size(); ++i) levels[episodes[i].level].push_back(i);
  const auto begin_of = [episodes](std::uint32_t place) { return episodes[place].begin; };
  for (auto& [level, places] : levels) std::ranges::sort(places, {}, begin_of);
  std::vector<std::vector<learn::RelationalGraphs::Edge>> edges(kEpisodeEdges);
  for (const auto& [level, places] : levels) {
    const auto above = levels.find(level + 1);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::uint32_t at = places[i];
      if (i > 0 && episodes[places[i - 1]].end == episodes[at].begin) {
        edges[kToNext].push_back({places[i - 1], at});
        edges[kToPrevious].push_back({at, places[i - 1]});
      }
      for (std::size_t back = 1; back <= std::min(i, kSharedReach); ++back) {
        const std::uint32_t before = places[i - back];
        if (SharedNodes(episodes[before], episodes[at]) < kShared) continue;
        edges[kSharing].push_back({before, at});
        edges[kSharing].push_back({at, before});
      }
      if (above == levels.end()) continue;
      const auto behind = std::ranges::upper_bound(above->second, episodes[at].begin, {}, begin_of);
      if (behind == above->second.begin()) continue;
      const std::uint32_t parent = *std::prev(behind);
      if (episodes[parent].end < episodes[at].end) continue;
      edges[kToParent].push_back({at, parent});
      edges[kToChild].push_back({parent, at});
    }
  }
  for (auto& kind : edges) std::ranges::sort(kind);
  return edges;
}

}  // namespace weft::operators::hierarchy
