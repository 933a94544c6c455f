#include "operators/learn/relational_network.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/learn/derivative_check.h"

namespace weft::operators::learn {
namespace {

// Kinds: 0 to the next vertex, 1 from it, 2 both ways at random.
RelationalNetworkOptions Options() {
  return {.columns = 5,
          .groups = 2,
          .reverse = {1, 0, 2},
          .logits = 2,
          .seed = 3,
          .max_vertices = 256,
          .max_graphs = 16};
}

RelationalGraphs MakeGraph(std::mt19937_64& random, std::int32_t first, std::int32_t second) {
  std::normal_distribution<float> normal;
  RelationalGraphs graph;
  graph.columns = 5;
  graph.group_size = {first, second};
  graph.edges.resize(3);
  const auto count = static_cast<std::uint32_t>(first + second);
  for (std::uint32_t v = 0; v < count; ++v) {
    for (int c = 0; c < 5; ++c) graph.features.push_back(normal(random));
    if (v + 1 < count) {
      graph.edges[0].push_back({v, v + 1});
      graph.edges[1].push_back({v + 1, v});
    }
    for (std::uint32_t u = 0; u < v; ++u)
      if (random() % 4 == 0) {
        graph.edges[2].push_back({u, v});
        graph.edges[2].push_back({v, u});
      }
  }
  for (auto& edges : graph.edges) std::ranges::sort(edges);
  return graph;
}

double LossOf(std::span<const float> logits, const Perceptron::Lessons& lessons, float scale) {
  double loss = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double logit = logits[i];
    const double entropy = std::log1p(std::exp(-std::abs(logit))) + std::max(logit, 0.0);
    loss += lessons.weight[i] * (entropy - logit * static_cast<double>(lessons.answer[i]));
  }
  return scale * loss;
}

TEST(RelationalNetwork, DerivativesAgreeWithFiniteDifferences) {
  std::mt19937_64 random(1);
  RelationalGraphs graphs;
  std::vector<float> answer, weight;
  for (int i = 0; i < 12; ++i) {
    // Also graphs without a vertex of the second group.
    graphs.Append(MakeGraph(random, 3 + i % 4, i % 3));
    for (int l = 0; l < 2; ++l) {
      answer.push_back(random() % 2 == 0 ? 1.0f : 0.0f);
      weight.push_back(0.5f * static_cast<float>(1 + random() % 2));
    }
  }
  const Perceptron::Lessons lessons{.answer = answer, .weight = weight};
  RelationalNetwork network(Options(), gpu::HostExec{});
  for (int step = 0; step < 10; ++step) network.Learn(graphs, lessons, 0.1f);
  network.ComputeGradient(graphs, lessons, 0.1f);
  const std::vector<float> gradient(network.gradient().begin(), network.gradient().end());
  const auto count = static_cast<std::int64_t>(gradient.size());
  std::vector<float> logits(answer.size());
  ExpectDerivative(
      network.weights(), gradient, {0, 4 * 5 * kRelationalWidth, count - kRelationalWidth, count},
      [&] {
        network.Logits(graphs, logits);
        return LossOf(logits, lessons, 0.1f);
      },
      0.05);
}

TEST(RelationalNetwork, GraphsBesideEachOtherDoNotMix) {
  std::mt19937_64 random(2);
  RelationalNetwork network(Options(), gpu::HostExec{});
  RelationalGraphs together;
  std::vector<float> apart;
  for (int i = 0; i < 5; ++i) {
    const RelationalGraphs graph = MakeGraph(random, 4, 3);
    std::vector<float> logits(2);
    network.Logits(graph, logits);
    apart.insert(apart.end(), logits.begin(), logits.end());
    together.Append(graph);
  }
  std::vector<float> logits(10);
  network.Logits(together, logits);
  EXPECT_EQ(logits, apart);
}

// Whether the numbers of the vertex behind the first one are above zero can be known from one kind
// of edges alone.
TEST(RelationalNetwork, LearnsWhatOnlyTheKindOfAnEdgeTells) {
  std::mt19937_64 random(3);
  RelationalNetworkOptions options = Options();
  options.logits = 1;
  options.adam.learning_rate = 3e-3f;
  RelationalNetwork network(options, gpu::HostExec{});
  const auto draw = [&](std::vector<float>& answer) {
    RelationalGraphs graphs;
    for (int i = 0; i < 16; ++i) {
      RelationalGraphs graph = MakeGraph(random, 1, 4);
      graph.edges[2].clear();
      graph.edges[0] = {{0, 1 + static_cast<std::uint32_t>(random() % 4)}};
      graph.edges[1] = {{graph.edges[0][0].to, 0}};
      answer.push_back(graph.features[graph.edges[0][0].to * 5] > 0.0f ? 1.0f : 0.0f);
      graphs.Append(graph);
    }
    return graphs;
  };
  const std::vector<float> weight(16, 1.0f);
  for (int step = 0; step < 600; ++step) {
    std::vector<float> answer;
    const RelationalGraphs graphs = draw(answer);
    network.Learn(graphs, {.answer = answer, .weight = weight}, 1.0f / 16.0f);
  }
  int right = 0;
  for (int i = 0; i < 25; ++i) {
    std::vector<float> answer, logits(16);
    const RelationalGraphs graphs = draw(answer);
    network.Logits(graphs, logits);
    for (std::size_t g = 0; g < 16; ++g) right += (logits[g] > 0.0f) == (answer[g] > 0.5f);
  }
  EXPECT_GT(right, 340);  // of 400
}

}  // namespace
}  // namespace weft::operators::learn
