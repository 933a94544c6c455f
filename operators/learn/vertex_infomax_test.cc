#include "operators/learn/vertex_infomax.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/learn/derivative_check.h"

namespace weft::operators::learn {
namespace {

using Edges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

VertexGraph MakeGraph(std::int64_t columns, std::vector<float> features, Edges edges) {
  VertexGraph graph;
  graph.columns = columns;
  graph.features = std::move(features);
  const std::size_t vertices = graph.features.size() / static_cast<std::size_t>(columns);
  for (std::size_t i = 0, count = edges.size(); i < count; ++i)
    edges.emplace_back(edges[i].second, edges[i].first);
  std::ranges::sort(edges);
  graph.begin = {0};
  auto edge = edges.begin();
  for (std::size_t v = 0; v < vertices; ++v) {
    for (; edge != edges.end() && edge->first == v; ++edge) graph.neighbor.push_back(edge->second);
    graph.begin.push_back(static_cast<std::int32_t>(graph.neighbor.size()));
  }
  graph.Normalize();
  return graph;
}

// Two blocks of 60: vertices of a block are joined with probability .2, others with .01; features
// are noisy signs of the block.
VertexGraph TwoBlocks(std::uint64_t seed) {
  constexpr std::uint32_t kVertices = 120;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<float> normal;
  std::vector<float> features;
  Edges edges;
  for (std::uint32_t v = 0; v < kVertices; ++v) {
    for (int c = 0; c < 8; ++c)
      features.push_back(0.5f * normal(random) + (v < kVertices / 2 ? 1.0f : -1.0f));
    for (std::uint32_t u = 0; u < v; ++u) {
      const bool same = (u < kVertices / 2) == (v < kVertices / 2);
      if (uniform(random) < (same ? 0.2 : 0.01)) edges.emplace_back(u, v);
    }
  }
  return MakeGraph(8, std::move(features), std::move(edges));
}

VertexInfomaxOptions Options() { return {.columns = 8, .seed = 7, .max_vertices = 128}; }

TEST(VertexInfomax, LearnsToTellNeighborhoodsOfTwoBlocksApart) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const VertexGraph graph = TwoBlocks(seed);
    VertexInfomax model(Options(), gpu::HostExec{});
    double last = 0.0;
    for (int step = 0; step < 200; ++step) {
      const double loss = model.Learn(graph);
      if (step >= 190) last += loss / 10.0;
    }
    // Half of the others are of the same block, so that .477 is the least there is.
    EXPECT_LT(last, 0.60) << seed;
    EXPECT_EQ(model.step_count(), 200);
  }
}

TEST(VertexInfomax, ScoresFollowTheirVertices) {
  const VertexGraph graph = TwoBlocks(4);
  VertexInfomax model(Options(), gpu::HostExec{});
  for (int step = 0; step < 50; ++step) model.Learn(graph);
  const auto vertices = static_cast<std::size_t>(graph.vertices());
  std::vector<std::uint32_t> name(vertices);
  std::iota(name.begin(), name.end(), 0u);
  std::shuffle(name.begin(), name.end(), std::mt19937_64(5));
  std::vector<float> features(graph.features.size());
  Edges edges;
  for (std::uint32_t v = 0; v < vertices; ++v) {
    for (std::size_t c = 0; c < 8; ++c) features[name[v] * 8 + c] = graph.features[v * 8 + c];
    for (std::int32_t e = graph.begin[v]; e < graph.begin[v + 1]; ++e) {
      const std::uint32_t u = graph.neighbor[static_cast<std::size_t>(e)];
      if (u < v) edges.emplace_back(name[u], name[v]);
    }
  }
  const VertexGraph renamed = MakeGraph(8, std::move(features), std::move(edges));
  std::vector<float> score(vertices), renamed_score(vertices);
  model.Scores(graph, score);
  model.Scores(renamed, renamed_score);
  for (std::size_t v = 0; v < vertices; ++v) {
    EXPECT_NEAR(score[v], renamed_score[name[v]], 1e-5) << v;
    EXPECT_GT(score[v], 0.0f);
    EXPECT_LT(score[v], 1.0f);
  }
}

TEST(VertexInfomax, DerivativesAgreeWithFiniteDifferences) {
  const VertexGraph graph = TwoBlocks(6);
  VertexInfomax model(Options(), gpu::HostExec{});
  for (int step = 0; step < 20; ++step) model.Learn(graph);
  const InfomaxLayout& layout = model.layout();
  model.ComputeGradient(graph);
  const std::vector<float> gradient(model.gradient().begin(), model.gradient().end());
  ExpectDerivative(
      model.weights(), gradient,
      {layout.vertex, layout.slope, layout.neighbors, layout.neighbors_bias, layout.match,
       layout.match_bias, layout.count},
      [&] { return model.ComputeGradient(graph); }, 0.03);
}

// What is learned end to end comes through the scores that features are multiplied with.
TEST(VertexInfomax, ALossOfPooledFeaturesReachesTheMatch) {
  const VertexGraph graph = TwoBlocks(8);
  VertexInfomaxOptions options = Options();
  options.dropout = 0.0f;
  VertexInfomax model(options, gpu::HostExec{});
  const auto vertices = static_cast<std::size_t>(graph.vertices());
  // The loss is 1000 times the first column of score times features, summed; its derivative by a
  // score is the feature.
  constexpr float kFactor = 1000.0f;
  std::vector<float> by_score(vertices), score(vertices);
  for (std::size_t v = 0; v < vertices; ++v) by_score[v] = kFactor * graph.features[v * 8];
  const auto loss = [&] {
    const double own = model.ComputeGradient(graph);
    model.Scores(graph, score);
    return std::inner_product(score.begin(), score.end(), by_score.begin(), own);
  };
  model.ComputeGradient(graph, by_score);
  const std::vector<float> gradient(model.gradient().begin(), model.gradient().end());
  const InfomaxLayout& layout = model.layout();
  ExpectDerivative(model.weights(), gradient, {layout.match, layout.match_bias}, loss, 0.03);
}

TEST(KeepHighest, TakesTheFirstOfEqualScoresInEverySegment) {
  const std::vector<float> score = {.5f, .5f, .5f, .9f, .1f, .2f, .2f, .2f, .2f, .2f, .7f};
  const std::vector<std::int64_t> begin = {0, 4, 4, 10, 11};
  EXPECT_EQ(KeepHighest(score, begin, 0.5), (std::vector<std::uint32_t>{0, 3, 5, 6, 7}));
  EXPECT_EQ(KeepHighest(score, std::vector<std::int64_t>{0, 10}, 0.7).size(), 7u);
  EXPECT_EQ(KeepHighest(score, begin, 1.0).size(), 11u);
  EXPECT_TRUE(KeepHighest(score, begin, 0.0).empty());
}

TEST(PoolGraph, KeepsTheInducedEdgesAndTheirWeights) {
  const VertexGraph graph = TwoBlocks(9);
  const auto vertices = static_cast<std::size_t>(graph.vertices());
  std::vector<float> score(vertices);
  std::mt19937_64 random(1);
  for (float& s : score) s = std::uniform_real_distribution<float>()(random);
  const PooledGraph pooled = PoolGraph(graph, score, 0.7);
  ASSERT_EQ(pooled.kept.size(), 84u);
  const auto dense = [](const VertexGraph& of) {
    const auto n = static_cast<std::size_t>(of.vertices());
    std::vector<std::vector<float>> matrix(n, std::vector<float>(n));
    for (std::size_t v = 0; v < n; ++v)
      for (std::int32_t e = of.begin[v]; e < of.begin[v + 1]; ++e) {
        const std::uint32_t u = of.neighbor[static_cast<std::size_t>(e)];
        matrix[v][u] = of.scale[v] * of.scale[u];
      }
    return matrix;
  };
  const auto before = dense(graph), after = dense(pooled.graph);
  for (std::size_t i = 0; i < pooled.kept.size(); ++i) {
    for (std::size_t j = 0; j < pooled.kept.size(); ++j)
      EXPECT_EQ(after[i][j], before[pooled.kept[i]][pooled.kept[j]]);
    for (std::size_t c = 0; c < 8; ++c)
      EXPECT_EQ(pooled.graph.features[i * 8 + c],
                score[pooled.kept[i]] * graph.features[pooled.kept[i] * 8 + c]);
  }
}

}  // namespace
}  // namespace weft::operators::learn
