// What the kernels of Perceptron see (perceptron_kernels.cc).
#pragma once

#include <cstdint>

namespace weft::operators::learn {

inline constexpr std::int32_t kPerceptronWidth = 64;

// How far apart rows of so many columns are.
constexpr std::int64_t PerceptronStride(std::int64_t columns) { return (columns + 15) / 16 * 16; }

// Offsets of the trainable numbers in one flat array.
struct PerceptronLayout {
  std::int64_t first;  // columns x width
  std::int64_t first_bias;
  std::int64_t second;  // width x width
  std::int64_t second_bias;
  std::int64_t output;  // logits x width
  std::int64_t output_bias;
  std::int64_t count;
};
constexpr PerceptronLayout PerceptronLayoutOf(std::int64_t columns, std::int64_t logits) {
  constexpr std::int64_t kWidth = kPerceptronWidth;
  PerceptronLayout layout = {};
  layout.first_bias = layout.first + columns * kWidth;
  layout.second = layout.first_bias + kWidth;
  layout.second_bias = layout.second + kWidth * kWidth;
  layout.output = layout.second_bias + kWidth;
  layout.output_bias = layout.output + logits * kWidth;
  layout.count = layout.output_bias + logits;
  return layout;
}

// Running mean and deviation of the columns.
struct PerceptronScale {
  float* mean;
  float* variance;
  float* inverse_deviation;
  float* used;  // 0 for a column that is left out, else 1
};

// The arrays of a pass over rows. Plain pointers, borrowed.
struct PerceptronView {
  std::int64_t row_count;
  std::int64_t stride;
  std::int64_t logits;
  const float* rows;  // [rows x stride]
  PerceptronScale scale;
  const float* output;       // weights of the output layer
  const float* output_bias;  // [logits]
  float* input;              // [rows x stride] standardised
  float* first;              // [rows x width]
  float* second;             // [rows x width]
  float* logit;              // [rows x logits]
  const float* answer;       // [rows x logits]
  const float* weight;       // [rows x logits]
  float lesson_scale;        // of the weights
  float* d_logit;            // [rows x logits]
  float* d_second;           // [rows x width]
};

template <class E>
void PerceptronStandardizeOn(const E& exec, const PerceptronView& view);  // input
template <class E>
void PerceptronLogitsOn(const E& exec, const PerceptronView& view);  // from rectified second
template <class E>
void PerceptronLossOn(const E& exec, const PerceptronView& view);  // d_logit, then d_second
// `d_rows`, the derivative by the standardised columns, becomes that by the columns.
template <class E>
void PerceptronInputGradientOn(const E& exec, const PerceptronView& view, float* d_rows);
// `weight` of the rows against all before them.
template <class E>
void PerceptronScaleOn(const E& exec, const PerceptronView& view, float weight);

}  // namespace weft::operators::learn
