#include "operators/learn/relational_network.h"

#include <algorithm>
#include <cmath>

#include "gpu/gemm.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/learn/dense_layer.h"
#include "operators/learn/rectifier.h"

namespace weft::operators::learn {
namespace {

PerceptronOptions ReadoutPerceptron(const RelationalNetworkOptions& options) {
  return {.columns = static_cast<std::int32_t>(options.groups * 2 * kRelationalWidth),
          .logits = options.logits,
          .seed = options.seed,
          .max_rows = options.max_graphs,
          .adam = options.adam};
}

}  // namespace

void RelationalGraphs::Append(const RelationalGraphs& other) {
  const auto before = static_cast<std::uint32_t>(vertices());
  columns = other.columns;
  features.insert(features.end(), other.features.begin(), other.features.end());
  group_size.insert(group_size.end(), other.group_size.begin(), other.group_size.end());
  edges.resize(other.edges.size());
  for (std::size_t r = 0; r < edges.size(); ++r)
    for (const Edge& edge : other.edges[r])
      edges[r].push_back({edge.from + before, edge.to + before});
}

RelationalNetwork::RelationalNetwork(const RelationalNetworkOptions& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      weights_(0, gpu::MemoryOf(exec)),
      gradient_(0, gpu::MemoryOf(exec)),
      adam_((static_cast<std::int64_t>(options.reverse.size()) + 1) *
                    (options.columns + kRelationalWidth) * kRelationalWidth +
                2 * kRelationalWidth,
            options.adam, gpu::MemoryOf(exec)),
      perceptron_(ReadoutPerceptron(options), exec),
      begin_(static_cast<std::int64_t>(options.reverse.size()) * (options.max_vertices + 1),
             gpu::MemoryOf(exec)),
      reverse_(static_cast<std::int64_t>(options.reverse.size()), gpu::MemoryOf(exec)),
      group_begin_(options.max_graphs * options.groups + 1, gpu::MemoryOf(exec)),
      group_(options.max_vertices, gpu::MemoryOf(exec)),
      largest_(options.max_graphs * options.groups * kRelationalWidth, gpu::MemoryOf(exec)),
      neighbor_(0, gpu::MemoryOf(exec)),
      features_(options.max_vertices * options.columns, gpu::MemoryOf(exec)),
      first_spread_(0, gpu::MemoryOf(exec)),
      first_out_(options.max_vertices * kRelationalWidth, gpu::MemoryOf(exec)),
      second_spread_(0, gpu::MemoryOf(exec)),
      second_out_(options.max_vertices * kRelationalWidth, gpu::MemoryOf(exec)),
      rows_(options.max_graphs * perceptron_.stride(), gpu::MemoryOf(exec)),
      d_rows_(options.max_graphs * perceptron_.stride(), gpu::MemoryOf(exec)),
      d_out_(options.max_vertices * kRelationalWidth, gpu::MemoryOf(exec)),
      d_spread_(0, gpu::MemoryOf(exec)),
      d_first_(options.max_vertices * kRelationalWidth, gpu::MemoryOf(exec)),
      transposed_(0, gpu::MemoryOf(exec)),
      ones_(options.max_vertices, gpu::MemoryOf(exec)) {
  const std::int64_t blocks = static_cast<std::int64_t>(options.reverse.size()) + 1;
  std::ranges::copy(options.reverse, reverse_.data());
  const auto place = [&](Layer& layer, std::int64_t begin, std::int64_t width) {
    layer.width = width;
    layer.inputs = blocks * width;
    layer.weight = begin;
    layer.bias = begin + layer.inputs * kRelationalWidth;
    return layer.bias + kRelationalWidth;
  };
  const std::int64_t count = place(second_, place(first_, 0, options.columns), kRelationalWidth);
  weights_.Allocate(count);
  gradient_.Allocate(count);
  first_spread_.Allocate(options.max_vertices * first_.inputs);
  second_spread_.Allocate(options.max_vertices * second_.inputs);
  d_spread_.Allocate(options.max_vertices * second_.inputs);
  transposed_.Allocate(second_.inputs * kRelationalWidth);
  std::fill_n(ones_.data(), options.max_vertices, 1.0f);
  for (const Layer& layer : {first_, second_})
    FillUniform(options.seed, layer.weight, layer.inputs * kRelationalWidth,
                std::sqrt(6.0f / static_cast<float>(layer.inputs + kRelationalWidth)),
                weights_.data());
}

// Copies the graphs to where the kernels can read them.
void RelationalNetwork::Place(const RelationalGraphs& graphs) {
  const std::int64_t vertices = graphs.vertices();
  const auto groups = static_cast<std::int64_t>(graphs.group_size.size());
  WEFT_CHECK(graphs.columns == options_.columns && vertices <= options_.max_vertices &&
             groups <= options_.max_graphs * options_.groups && groups % options_.groups == 0 &&
             graphs.edges.size() == options_.reverse.size());
  gpu::Synchronize(exec_);
  std::ranges::copy(graphs.features, features_.data());
  std::int64_t edge_count = 0;
  for (const auto& edges : graphs.edges) edge_count += static_cast<std::int64_t>(edges.size());
  neighbor_.Grow(edge_count);
  std::int32_t at = 0;
  for (std::size_t r = 0; r < graphs.edges.size(); ++r) {
    std::int32_t* const begin = begin_.data() + static_cast<std::int64_t>(r) * (vertices + 1);
    auto edge = graphs.edges[r].begin();
    for (std::int64_t v = 0; v < vertices; ++v) {
      begin[v] = at;
      for (; edge != graphs.edges[r].end() && edge->from == v; ++edge) neighbor_[at++] = edge->to;
    }
    begin[vertices] = at;
  }
  std::int32_t vertex = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    group_begin_[g] = vertex;
    for (std::int32_t i = 0; i < graphs.group_size[static_cast<std::size_t>(g)]; ++i)
      group_[vertex++] = static_cast<std::int32_t>(g);
  }
  group_begin_[groups] = vertex;
  WEFT_CHECK(vertex == vertices);
  edges_ = {vertices, static_cast<std::int64_t>(options_.reverse.size()), begin_.data(),
            neighbor_.data(), reverse_.data()};
  readout_ = {.groups = groups,
              .groups_of_row = options_.groups,
              .row_stride = perceptron_.stride(),
              .begin = group_begin_.data(),
              .vertices = second_out_.data(),
              .rows = rows_.data(),
              .largest = largest_.data(),
              .group = group_.data(),
              .d_rows = d_rows_.data(),
              .d_vertices = d_out_.data(),
              .vertex_count = vertices};
}

void RelationalNetwork::ForwardLayer(const Layer& layer, const float* from, float* spread,
                                     float* to) {
  std::visit([&](const auto& e) { SpreadOn(e, edges_, layer.width, from, spread); }, exec_);
  gpu::Gemm(exec_, DenseLayer(edges_.vertices, layer.inputs, spread, layer.inputs, kRelationalWidth,
                              weights_.data() + layer.weight, weights_.data() + layer.bias, to));
  std::visit([&](const auto& e) { RectifyOn(e, edges_.vertices * kRelationalWidth, to); }, exec_);
}

void RelationalNetwork::Forward(const RelationalGraphs& graphs) {
  Place(graphs);
  ForwardLayer(first_, features_.data(), first_spread_.data(), first_out_.data());
  ForwardLayer(second_, first_out_.data(), second_spread_.data(), second_out_.data());
  std::visit([&](const auto& e) { ReadoutOn(e, readout_); }, exec_);
}

void RelationalNetwork::Logits(const RelationalGraphs& graphs, std::span<float> logits) {
  Forward(graphs);
  perceptron_.Logits(rows_.data(), readout_.groups / options_.groups, logits.data());
}

// `d_to`: the derivative by the layer's rectified outputs, already let through.
void RelationalNetwork::BackwardLayer(const Layer& layer, const float* spread, float* d_to,
                                      float* d_from) {
  const std::int64_t vertices = edges_.vertices;
  gpu::Gemm(exec_, OuterProduct(vertices, spread, layer.inputs, layer.inputs, d_to,
                                kRelationalWidth, gradient_.data() + layer.weight));
  gpu::Gemm(exec_, OuterProduct(vertices, ones_.data(), 1, 1, d_to, kRelationalWidth,
                                gradient_.data() + layer.bias));
  if (d_from == nullptr) return;
  gpu::Transpose(exec_, layer.inputs, kRelationalWidth, weights_.data() + layer.weight,
                 transposed_.data());
  gpu::Gemm(exec_, DenseLayer(vertices, kRelationalWidth, d_to, kRelationalWidth, layer.inputs,
                              transposed_.data(), nullptr, d_spread_.data()));
  std::visit([&](const auto& e) { CollectOn(e, edges_, layer.width, d_spread_.data(), d_from); },
             exec_);
}

void RelationalNetwork::ComputeGradient(const RelationalGraphs& graphs,
                                        const Perceptron::Lessons& lessons, float scale) {
  Forward(graphs);
  const std::int64_t vertices = edges_.vertices;
  perceptron_.ComputeGradient(rows_.data(), lessons, scale);
  perceptron_.ComputeInputGradient(readout_.groups / options_.groups, d_rows_.data());
  std::visit([&](const auto& e) { ReadoutGradientOn(e, readout_); }, exec_);
  std::visit(
      [&](const auto& e) {
        RectifierGradientOn(e, vertices * kRelationalWidth, second_out_.data(), d_out_.data());
      },
      exec_);
  BackwardLayer(second_, second_spread_.data(), d_out_.data(), d_first_.data());
  std::visit(
      [&](const auto& e) {
        RectifierGradientOn(e, vertices * kRelationalWidth, first_out_.data(), d_first_.data());
      },
      exec_);
  BackwardLayer(first_, first_spread_.data(), d_first_.data(), nullptr);
  gpu::Synchronize(exec_);
}

void RelationalNetwork::Learn(const RelationalGraphs& graphs, const Perceptron::Lessons& lessons,
                              float scale) {
  Forward(graphs);
  gpu::Synchronize(exec_);
  perceptron_.ObserveScale(rows_.data(), readout_.groups / options_.groups);
  ComputeGradient(graphs, lessons, scale);
  perceptron_.Step(1.0f);
  adam_.Step(exec_, weights_.data(), gradient_.data());
}

}  // namespace weft::operators::learn
