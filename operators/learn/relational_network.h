// RelationalNetwork: from graphs whose edges are of several kinds to the log-odds of yes or no
// about each graph, and the learning of that. Two layers in which a vertex takes in the means of
// its neighbours, kind by kind; then, for each group of vertices of a graph, the mean and the
// largest of every number; then a perceptron.
//
// Source: relational graph convolution, R-GCN (Schlichtkrull et al. 2018), with means for its sums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "operators/learn/adam.h"
#include "operators/learn/perceptron.h"
#include "operators/learn/relational_network_kernels.h"

namespace weft::operators::learn {

// One graph or several beside each other. Vertices are ordered by graph and, in each, by group.
struct RelationalGraphs {
  std::int64_t columns = 0;
  std::vector<float> features;           // [vertices x columns]
  std::vector<std::int32_t> group_size;  // [graphs x groups], vertices of each
  // Neighbours of each kind: from a vertex to another of the same graph.
  struct Edge {
    std::uint32_t from = 0, to = 0;
    bool operator==(const Edge&) const = default;
    auto operator<=>(const Edge&) const = default;
  };
  std::vector<std::vector<Edge>> edges;  // [relations], each rising

  std::int64_t vertices() const {
    return columns == 0 ? 0 : static_cast<std::int64_t>(features.size()) / columns;
  }
  // Takes up the graphs of another with the same columns and relations.
  void Append(const RelationalGraphs& other);
};

struct RelationalNetworkOptions {
  std::int64_t columns = 1;
  std::int64_t groups = 1;
  // Of each kind of edges the kind that the same edges have from the other end; itself for kinds
  // without a direction.
  std::vector<std::int32_t> reverse;
  std::int32_t logits = 1;
  std::uint64_t seed = 1;
  std::int64_t max_vertices = 1024;  // of a pass
  std::int64_t max_graphs = 32;
  AdamOptions adam = {};
};

// Exact: depends on the graphs and their order alone. Thread-compatible.
class RelationalNetwork {
 public:
  RelationalNetwork(const RelationalNetworkOptions& options, const gpu::Exec& exec);

  // [graphs x logits].
  void Logits(const RelationalGraphs& graphs, std::span<float> logits);
  // One optimiser step down the weighted cross-entropy, its weights multiplied by `scale`; lessons
  // as those of Perceptron, a row a graph. Moves the scale of the perceptron's columns first.
  void Learn(const RelationalGraphs& graphs, const Perceptron::Lessons& lessons, float scale);
  // The derivative that Learn would step along, without the step.
  void ComputeGradient(const RelationalGraphs& graphs, const Perceptron::Lessons& lessons,
                       float scale);

  std::int64_t step_count() const { return adam_.step_count(); }
  // Of the two layers; the perceptron has its own.
  std::span<float> weights() { return weights_.span(); }
  std::span<const float> weights() const { return weights_.span(); }
  std::span<const float> gradient() const { return gradient_.span(); }
  Adam& adam() { return adam_; }
  const Adam& adam() const { return adam_; }
  Perceptron& perceptron() { return perceptron_; }
  const Perceptron& perceptron() const { return perceptron_; }

 private:
  // A layer's place in the weights.
  struct Layer {
    std::int64_t weight = 0, bias = 0, width = 0;
    std::int64_t inputs = 0;  // (relations + 1) * width
  };
  void Forward(const RelationalGraphs& graphs);
  void Place(const RelationalGraphs& graphs);
  void ForwardLayer(const Layer& layer, const float* from, float* spread, float* to);
  void BackwardLayer(const Layer& layer, const float* spread, float* d_to, float* d_from);

  RelationalNetworkOptions options_;
  gpu::Exec exec_;
  Layer first_, second_;
  gpu::Buffer<float> weights_, gradient_;
  Adam adam_;
  Perceptron perceptron_;
  gpu::Buffer<std::int32_t> begin_, reverse_, group_begin_, group_, largest_;
  gpu::Buffer<std::uint32_t> neighbor_;
  gpu::Buffer<float> features_, first_spread_, first_out_, second_spread_, second_out_, rows_;
  gpu::Buffer<float> d_rows_, d_out_, d_spread_, d_first_, transposed_, ones_;
  RelationalEdges edges_ = {};
  GroupReadout readout_ = {};
};

}  // namespace weft::operators::learn
