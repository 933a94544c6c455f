// What the kernels of VertexInfomax see (vertex_infomax_kernels.cc).
#pragma once

#include <cstdint>

namespace weft::operators::learn {

inline constexpr std::int64_t kInfomaxWidth = 32;

// Offsets of the trainable numbers in one flat array.
struct InfomaxLayout {
  std::int64_t vertex;  // columns x width: the vertex's own code
  std::int64_t vertex_bias;
  std::int64_t slope;      // of the rectifier for what is negative
  std::int64_t neighbors;  // width x width: the code of the neighbourhood
  std::int64_t neighbors_bias;
  std::int64_t match;  // width x width: how the two belong together
  std::int64_t match_bias;
  std::int64_t count;
};
constexpr InfomaxLayout InfomaxLayoutOf(std::int64_t columns) {
  constexpr std::int64_t kWidth = kInfomaxWidth;
  InfomaxLayout layout = {};
  layout.vertex_bias = layout.vertex + columns * kWidth;
  layout.slope = layout.vertex_bias + kWidth;
  layout.neighbors = layout.slope + 1;
  layout.neighbors_bias = layout.neighbors + kWidth * kWidth;
  layout.match = layout.neighbors_bias + kWidth;
  layout.match_bias = layout.match + kWidth * kWidth;
  layout.count = layout.match_bias + 1;
  return layout;
}

// The arrays of a pass over a graph. Plain pointers, borrowed; matrices are [vertices x width].
struct InfomaxView {
  std::int64_t vertices;
  const std::int32_t* begin;      // [vertices + 1], of each vertex's neighbours
  const std::uint32_t* neighbor;  // rising for each vertex
  const float* scale;             // [vertices], 1 / sqrt(degree); 0 without neighbours
  // Whose code stands in for a vertex's own in the pairs that do not belong together, and the
  // inverse.
  const std::uint32_t* other;
  const std::uint32_t* other_of;
  std::uint64_t dropout_seed;
  float kept;  // share of the codes that are not dropped; 1 without learning
  const float* slope;
  const float* match_bias;
  const float* before;  // the code before it is rectified
  float* code;
  float* dropped;   // the code, some of it left out
  float* gathered;  // of the neighbours
  float* summary;   // of the neighbourhood, squashed
  float* query;     // summary times match
  float* logit;     // [vertices], of the vertex's own code
  float* other_logit;
  float* loss;                  // [vertices]
  const float* score_gradient;  // [vertices], or null: what else the scores are taught
  float* d_logit;               // [vertices]
  float* d_other_logit;         // [vertices]
  float* d_query;
  float* d_summary;
  float* d_dropped;
  float* d_before;
  float* d_slope;  // [vertices]
};

template <class E>
void InfomaxCodeOn(const E& exec, const InfomaxView& view);  // code, dropped
// to[v] = sum over the neighbours u of v of scale[v] scale[u] from[u].
template <class E>
void InfomaxGatherOn(const E& exec, const InfomaxView& view, const float* from, float* to);
template <class E>
void InfomaxSquashOn(const E& exec, std::int64_t count, float* values);
template <class E>
void InfomaxLogitsOn(const E& exec, const InfomaxView& view, bool others);
template <class E>
void InfomaxLossOn(const E& exec, const InfomaxView& view);  // loss, d_logit, d_query
template <class E>
void InfomaxSummaryGradientOn(const E& exec, const InfomaxView& view);  // of what is squashed
template <class E>
void InfomaxCodeGradientOn(const E& exec, const InfomaxView& view);  // d_before, d_slope
// score[v] = 1 / (1 + exp(-logit[v])).
template <class E>
void InfomaxScoresOn(const E& exec, std::int64_t count, const float* logit, float* score);

}  // namespace weft::operators::learn
