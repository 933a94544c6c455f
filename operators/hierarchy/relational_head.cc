#include "operators/hierarchy/relational_head.h"

#include <algorithm>

#include "gpu/elementary.h"

namespace weft::operators::hierarchy {
namespace {

learn::RelationalNetworkOptions NetworkOptions(std::uint64_t seed, std::int64_t vertices,
                                               std::int64_t graphs) {
  return {.columns = static_cast<std::int64_t>(kVertexColumns),
          .groups = kReadoutLevels,
          .reverse = kReverseEdges,
          .logits = kReadoutLevels,
          .seed = seed,
          .max_vertices = vertices * graphs,
          .max_graphs = graphs};
}

}  // namespace

RelationalHead::RelationalHead(std::uint64_t seed, graph::TimeUs horizon_us, const gpu::Exec& exec)
    : horizon_us_(horizon_us),
      network_(NetworkOptions(seed, static_cast<std::int64_t>(kMostVertices), kMostGraphs), exec) {}

bool RelationalHead::IsWhole() const {
  for (const auto& pending : pending_)
    for (const Pending& one : pending)
      if (!remembered_.contains(one.moment)) return false;
  return std::ranges::all_of(remembered_, [](const auto& entry) {
    const learn::RelationalGraphs& graph = entry.second.graph;
    std::int64_t vertices = 0;
    for (const std::int32_t size : graph.group_size) vertices += size;
    const auto is_inside = [vertices](const learn::RelationalGraphs::Edge& edge) {
      return edge.from < vertices && edge.to < vertices;
    };
    return graph.columns == static_cast<std::int64_t>(kVertexColumns) &&
           vertices == graph.vertices() && graph.group_size.size() == kReadoutLevels &&
           std::ranges::all_of(graph.edges, [&](const auto& edges) {
             return std::ranges::all_of(edges, is_inside);
           });
  });
}

std::array<float, kReadoutLevels> RelationalHead::Forecast(const Readout& readout) {
  std::array<float, kReadoutLevels> probability = {};
  network_.Logits(readout.graph, probability);
  for (std::size_t i = 0; i < probability.size(); ++i)
    probability[i] = i < readout.levels.size() ? gpu::Sigmoid(probability[i]) : 0.0f;
  Remembered& remembered = remembered_[readout.snapshot];
  remembered.graph = readout.graph;
  for (std::size_t i = 0; i < std::min(readout.levels.size(), pending_.size()); ++i) {
    pending_[i].push_back({readout.snapshot, readout.now_us});
    ++remembered.uses;
    if (pending_[i].size() >= kMostPending) Thin(pending_[i]);
  }
  return probability;
}

void RelationalHead::Forget(std::int64_t moment) {
  const auto found = remembered_.find(moment);
  if (--found->second.uses == 0) remembered_.erase(found);
}

// Every second one goes.
void RelationalHead::Thin(std::vector<Pending>& pending) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (i % 2 == 0) {
      pending[kept++] = pending[i];
    } else {
      Forget(pending[i].moment);
    }
  }
  pending.resize(kept);
}

void RelationalHead::Learn(std::int32_t level, graph::TimeUs end_us) {
  if (level > kReadoutLevels) return;
  const auto at = static_cast<std::size_t>(level) - 1;
  const std::vector<Pending> pending = std::move(pending_[at]);
  pending_[at].clear();
  if (pending.empty()) return;
  const std::size_t count = std::min<std::size_t>(pending.size(), kMostGraphs);
  learn::RelationalGraphs graphs;
  std::vector<float> answer(count * kReadoutLevels), weight(count * kReadoutLevels);
  for (std::size_t i = 0; i < count; ++i) {
    const Pending& one = pending[i * pending.size() / count];
    graphs.Append(remembered_.at(one.moment).graph);
    answer[i * kReadoutLevels + at] = end_us <= one.now_us + horizon_us_ ? 1.0f : 0.0f;
    weight[i * kReadoutLevels + at] = 1.0f;
  }
  network_.Learn(graphs, {.answer = answer, .weight = weight}, 1.0f / static_cast<float>(count));
  for (const Pending& one : pending) Forget(one.moment);
}

}  // namespace weft::operators::hierarchy
