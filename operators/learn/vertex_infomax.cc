#include "operators/learn/vertex_infomax.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gpu/gemm.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/learn/dense_layer.h"

namespace weft::operators::learn {
namespace {

constexpr std::int64_t kMatrices = 10;
constexpr std::int64_t kColumns = 8;

// The bound of Glorot and Bengio 2010.
float GlorotBound(std::int64_t inputs, std::int64_t outputs) {
  return std::sqrt(6.0f / static_cast<float>(inputs + outputs));
}

}  // namespace

void VertexGraph::Normalize() {
  scale.resize(static_cast<std::size_t>(vertices()));
  for (std::size_t v = 0; v < scale.size(); ++v) {
    const auto degree = static_cast<float>(begin[v + 1] - begin[v]);
    scale[v] = degree > 0.0f ? 1.0f / std::sqrt(degree) : 0.0f;
  }
}

std::vector<std::uint32_t> KeepHighest(std::span<const float> score,
                                       std::span<const std::int64_t> begin, double share) {
  std::vector<std::uint32_t> kept, places;
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
    places.resize(static_cast<std::size_t>(begin[s + 1] - begin[s]));
    std::iota(places.begin(), places.end(), static_cast<std::uint32_t>(begin[s]));
    std::ranges::stable_sort(places, std::ranges::greater(),
                             [score](std::uint32_t place) { return score[place]; });
    // 0.7 of 10 are 7, though 0.7 * 10 is not quite.
    const double count = share * static_cast<double>(places.size()) + 1e-9;
    places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
    std::ranges::sort(places);
    kept.insert(kept.end(), places.begin(), places.end());
  }
  return kept;
}

PooledGraph PoolGraph(const VertexGraph& graph, std::span<const float> score, double share) {
  const std::int64_t whole[] = {0, graph.vertices()};
  PooledGraph pooled;
  pooled.kept = KeepHighest(score, whole, share);
  constexpr std::uint32_t kNone = ~0u;
  std::vector<std::uint32_t> place(static_cast<std::size_t>(graph.vertices()), kNone);
  for (std::size_t i = 0; i < pooled.kept.size(); ++i)
    place[pooled.kept[i]] = static_cast<std::uint32_t>(i);
  VertexGraph& to = pooled.graph;
  to.columns = graph.columns;
  to.begin = {0};
  for (const std::uint32_t v : pooled.kept) {
    for (std::int64_t c = 0; c < graph.columns; ++c)
      to.features.push_back(score[v] *
                            graph.features[static_cast<std::size_t>(v * graph.columns + c)]);
    for (std::int32_t e = graph.begin[v]; e < graph.begin[v + 1]; ++e) {
      const std::uint32_t neighbor = place[graph.neighbor[static_cast<std::size_t>(e)]];
      if (neighbor != kNone) to.neighbor.push_back(neighbor);
    }
    to.begin.push_back(static_cast<std::int32_t>(to.neighbor.size()));
    to.scale.push_back(graph.scale[v]);
  }
  return pooled;
}

VertexInfomax::VertexInfomax(const VertexInfomaxOptions& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      layout_(InfomaxLayoutOf(options.columns)),
      weights_(layout_.count, gpu::MemoryOf(exec)),
      gradient_(layout_.count, gpu::MemoryOf(exec)),
      adam_(layout_.count, options.adam, gpu::MemoryOf(exec)),
      features_(options.max_vertices * options.columns, gpu::MemoryOf(exec)),
      scale_(options.max_vertices, gpu::MemoryOf(exec)),
      begin_(options.max_vertices + 1, gpu::MemoryOf(exec)),
      neighbor_(0, gpu::MemoryOf(exec)),
      other_(options.max_vertices, gpu::MemoryOf(exec)),
      other_of_(options.max_vertices, gpu::MemoryOf(exec)),
      matrices_(kMatrices * options.max_vertices * kInfomaxWidth, gpu::MemoryOf(exec)),
      columns_(kColumns * options.max_vertices, gpu::MemoryOf(exec)),
      transposed_(kInfomaxWidth * kInfomaxWidth, gpu::MemoryOf(exec)),
      ones_(options.max_vertices, gpu::MemoryOf(exec)) {
  FillUniform(options.seed, layout_.vertex, options.columns * kInfomaxWidth,
              GlorotBound(options.columns, kInfomaxWidth), weights_.data());
  for (const std::int64_t begin : {layout_.neighbors, layout_.match})
    FillUniform(options.seed, begin, kInfomaxWidth * kInfomaxWidth,
                GlorotBound(kInfomaxWidth, kInfomaxWidth), weights_.data());
  weights_[layout_.slope] = 0.25f;
  std::fill_n(ones_.data(), options.max_vertices, 1.0f);
}

// A permutation for each learning step (Fisher and Yates).
void VertexInfomax::DrawOthers(std::int64_t vertices) {
  std::iota(other_.data(), other_.data() + vertices, 0u);
  const auto step = static_cast<std::uint64_t>(adam_.step_count());
  for (std::int64_t i = vertices - 1; i > 0; --i) {
    const std::uint64_t hash =
        gpu::CounterHash(options_.seed + step, static_cast<std::uint64_t>(i), 2);
    std::swap(other_[i],
              other_[static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(i + 1))]);
  }
  for (std::int64_t v = 0; v < vertices; ++v) other_of_[other_[v]] = static_cast<std::uint32_t>(v);
}

InfomaxView VertexInfomax::Forward(const VertexGraph& graph, bool learns) {
  const std::int64_t vertices = graph.vertices();
  WEFT_CHECK(vertices <= options_.max_vertices && graph.columns == options_.columns);
  gpu::Synchronize(exec_);
  std::ranges::copy(graph.features, features_.data());
  std::ranges::copy(graph.begin, begin_.data());
  neighbor_.Grow(static_cast<std::int64_t>(graph.neighbor.size()));
  std::ranges::copy(graph.neighbor, neighbor_.data());
  std::ranges::copy(graph.scale, scale_.data());
  if (learns) DrawOthers(vertices);
  float* const weight = weights_.data();
  const auto matrix = [this](std::int64_t i) {
    return matrices_.data() + i * options_.max_vertices * kInfomaxWidth;
  };
  const auto column = [this](std::int64_t i) {
    return columns_.data() + i * options_.max_vertices;
  };
  InfomaxView view = {};
  view.vertices = vertices;
  view.begin = begin_.data();
  view.neighbor = neighbor_.data();
  view.scale = scale_.data();
  view.other = other_.data();
  view.other_of = other_of_.data();
  view.dropout_seed = options_.seed + static_cast<std::uint64_t>(adam_.step_count());
  view.kept = learns ? 1.0f - options_.dropout : 1.0f;
  view.slope = weight + layout_.slope;
  view.match_bias = weight + layout_.match_bias;
  view.before = matrix(0);
  view.code = matrix(1);
  view.dropped = matrix(2);
  view.gathered = matrix(3);
  view.summary = matrix(4);
  view.query = matrix(5);
  view.d_query = matrix(6);
  view.d_summary = matrix(7);
  view.d_dropped = matrix(8);
  view.d_before = matrix(9);
  view.logit = column(0);
  view.other_logit = column(1);
  view.loss = column(2);
  view.d_logit = column(3);
  view.d_other_logit = column(4);
  view.d_slope = column(5);
  gpu::Gemm(exec_, DenseLayer(vertices, options_.columns, features_.data(), options_.columns,
                              kInfomaxWidth, weight + layout_.vertex, weight + layout_.vertex_bias,
                              matrix(0)));
  std::visit([&](const auto& e) { InfomaxCodeOn(e, view); }, exec_);
  std::visit([&](const auto& e) { InfomaxGatherOn(e, view, view.dropped, view.gathered); }, exec_);
  gpu::Gemm(exec_,
            DenseLayer(vertices, kInfomaxWidth, view.gathered, kInfomaxWidth, kInfomaxWidth,
                       weight + layout_.neighbors, weight + layout_.neighbors_bias, view.summary));
  std::visit([&](const auto& e) { InfomaxSquashOn(e, vertices * kInfomaxWidth, view.summary); },
             exec_);
  gpu::Gemm(exec_, DenseLayer(vertices, kInfomaxWidth, view.summary, kInfomaxWidth, kInfomaxWidth,
                              weight + layout_.match, nullptr, view.query));
  std::visit([&](const auto& e) { InfomaxLogitsOn(e, view, learns); }, exec_);
  return view;
}

void VertexInfomax::Scores(const VertexGraph& graph, std::span<float> score) {
  WEFT_CHECK(static_cast<std::int64_t>(score.size()) == graph.vertices());
  if (score.empty()) return;
  const InfomaxView view = Forward(graph, /*learns=*/false);
  float* const scores = columns_.data() + 6 * options_.max_vertices;
  std::visit([&](const auto& e) { InfomaxScoresOn(e, view.vertices, view.logit, scores); }, exec_);
  gpu::Synchronize(exec_);
  std::copy_n(scores, score.size(), score.begin());
}

double VertexInfomax::ComputeGradient(const VertexGraph& graph,
                                      std::span<const float> score_gradient) {
  const std::int64_t vertices = graph.vertices();
  WEFT_CHECK(vertices > 0 && (score_gradient.empty() ||
                              static_cast<std::int64_t>(score_gradient.size()) == vertices));
  InfomaxView view = Forward(graph, /*learns=*/true);
  float* const given = columns_.data() + 7 * options_.max_vertices;
  gpu::Synchronize(exec_);
  std::ranges::copy(score_gradient, given);
  view.score_gradient = score_gradient.empty() ? nullptr : given;
  std::visit([&](const auto& e) { InfomaxLossOn(e, view); }, exec_);
  const float* const weight = weights_.data();
  float* const to = gradient_.data();
  const auto sum = [&](const float* from, std::int64_t width, float* total) {
    gpu::Gemm(exec_, OuterProduct(vertices, ones_.data(), 1, 1, from, width, total));
  };
  const auto back = [&](const float* from, std::int64_t layer, float* d_input) {
    gpu::Transpose(exec_, kInfomaxWidth, kInfomaxWidth, weight + layer, transposed_.data());
    gpu::Gemm(exec_, DenseLayer(vertices, kInfomaxWidth, from, kInfomaxWidth, kInfomaxWidth,
                                transposed_.data(), nullptr, d_input));
  };
  gpu::Gemm(exec_, OuterProduct(vertices, view.summary, kInfomaxWidth, kInfomaxWidth, view.d_query,
                                kInfomaxWidth, to + layout_.match));
  back(view.d_query, layout_.match, view.d_summary);
  std::visit([&](const auto& e) { InfomaxSummaryGradientOn(e, view); }, exec_);
  gpu::Gemm(exec_, OuterProduct(vertices, view.gathered, kInfomaxWidth, kInfomaxWidth,
                                view.d_summary, kInfomaxWidth, to + layout_.neighbors));
  sum(view.d_summary, kInfomaxWidth, to + layout_.neighbors_bias);
  // The adjacency is symmetric: what went along the edges comes back along them.
  back(view.d_summary, layout_.neighbors, view.d_before);
  std::visit([&](const auto& e) { InfomaxGatherOn(e, view, view.d_before, view.d_dropped); },
             exec_);
  std::visit([&](const auto& e) { InfomaxCodeGradientOn(e, view); }, exec_);
  gpu::Gemm(exec_, OuterProduct(vertices, features_.data(), options_.columns, options_.columns,
                                view.d_before, kInfomaxWidth, to + layout_.vertex));
  sum(view.d_before, kInfomaxWidth, to + layout_.vertex_bias);
  sum(view.d_slope, 1, to + layout_.slope);
  gpu::Synchronize(exec_);
  float bias = 0.0f;
  double loss = 0.0;
  for (std::int64_t v = 0; v < vertices; ++v) {
    bias += view.d_logit[v] + view.d_other_logit[v];
    loss += static_cast<double>(view.loss[v]);
  }
  gradient_[layout_.match_bias] = bias;
  return loss;
}

double VertexInfomax::Learn(const VertexGraph& graph, std::span<const float> score_gradient) {
  const double loss = ComputeGradient(graph, score_gradient);
  adam_.Step(exec_, weights_.data(), gradient_.data());
  return loss;
}

}  // namespace weft::operators::learn
