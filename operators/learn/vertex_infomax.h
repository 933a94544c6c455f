// VertexInfomax: how much each vertex of a graph says about its neighbourhood, learned without
// labels by telling vertices that belong to a neighbourhood from others. The vertices that say most
// are those to keep when a graph is made smaller (PoolGraph).
//
// Source: vertex infomax pooling, VIPool (Li, Chen, Zhang, Tsang, "Graph Cross Networks with Vertex
// Infomax Pooling", 2020), as its authors' program has it: others are vertices of the same graph
// at random, neighbourhoods reach one step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "operators/learn/adam.h"
#include "operators/learn/vertex_infomax_kernels.h"

namespace weft::operators::learn {

// An undirected graph without loops, each edge at both of its ends.
struct VertexGraph {
  std::int64_t columns = 0;
  std::vector<float> features;          // [vertices x columns]
  std::vector<std::int32_t> begin;      // [vertices + 1], of each vertex's neighbours
  std::vector<std::uint32_t> neighbor;  // rising for each vertex
  std::vector<float> scale;             // [vertices]; an edge weighs scale[u] scale[v]

  std::int64_t vertices() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  // scale = 1 / sqrt(degree), or 0 without neighbours: the symmetric normalised adjacency.
  void Normalize();
};

// Places of the floor(share * count) highest scores of each segment [begin[s], begin[s + 1]), in
// rising order; of equal scores the first.
std::vector<std::uint32_t> KeepHighest(std::span<const float> score,
                                       std::span<const std::int64_t> begin, double share);

// The vertices of highest score with the edges between them, which keep their weights; features are
// multiplied by the score. `kept` are their places in `graph`.
struct PooledGraph {
  std::vector<std::uint32_t> kept;
  VertexGraph graph;
};
PooledGraph PoolGraph(const VertexGraph& graph, std::span<const float> score, double share);

struct VertexInfomaxOptions {
  std::int64_t columns = 1;
  std::uint64_t seed = 1;
  std::int64_t max_vertices = 1024;
  float dropout = 0.3f;  // of what is gathered from neighbours, while learning
  AdamOptions adam = {.learning_rate = 5e-3f};
};

// Exact: depends on the graphs and their order alone. Thread-compatible.
class VertexInfomax {
 public:
  VertexInfomax(const VertexInfomaxOptions& options, const gpu::Exec& exec);

  // One for each vertex, in (0, 1); a graph of at most max_vertices.
  void Scores(const VertexGraph& graph, std::span<float> score);
  // One optimiser step; the loss before it, which is ln 2 if vertices cannot be told from others.
  // `score_gradient`, if any, is the derivative of another loss by the scores, added to this one:
  // learning end to end.
  double Learn(const VertexGraph& graph, std::span<const float> score_gradient = {});
  // The derivative that Learn would step along, and the loss, without the step.
  double ComputeGradient(const VertexGraph& graph, std::span<const float> score_gradient = {});

  const InfomaxLayout& layout() const { return layout_; }
  std::int64_t step_count() const { return adam_.step_count(); }
  std::span<float> weights() { return weights_.span(); }
  std::span<const float> weights() const { return weights_.span(); }
  std::span<const float> gradient() const { return gradient_.span(); }
  // What else there is to save.
  Adam& adam() { return adam_; }
  const Adam& adam() const { return adam_; }

 private:
  InfomaxView Forward(const VertexGraph& graph, bool learns);
  void DrawOthers(std::int64_t vertices);

  VertexInfomaxOptions options_;
  gpu::Exec exec_;
  InfomaxLayout layout_;
  gpu::Buffer<float> weights_, gradient_;
  Adam adam_;
  gpu::Buffer<float> features_, scale_;
  gpu::Buffer<std::int32_t> begin_;
  gpu::Buffer<std::uint32_t> neighbor_, other_, other_of_;
  gpu::Buffer<float> matrices_;  // the [vertices x width] ones
  gpu::Buffer<float> columns_;   // the [vertices] ones
  gpu::Buffer<float> transposed_, ones_;
};

}  // namespace weft::operators::learn
