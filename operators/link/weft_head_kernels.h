// What the kernels of WeftHead see (weft_head_kernels.cc).
#pragma once

#include <cstdint>

#include "operators/link/weft_features.h"

namespace weft::operators::link {

inline constexpr std::int32_t kHeadWidth = 64;
inline constexpr std::int32_t kHeadLogits = 3;

// Offsets of the trainable numbers in one flat array.
struct WeftHeadLayout {
  static constexpr std::int64_t kFirst = 0;  // columns x width
  static constexpr std::int64_t kFirstBias = kFirst + kWeftColumnCount * kHeadWidth;
  static constexpr std::int64_t kSecond = kFirstBias + kHeadWidth;  // width x width
  static constexpr std::int64_t kSecondBias = kSecond + kHeadWidth * kHeadWidth;
  static constexpr std::int64_t kOutput = kSecondBias + kHeadWidth;  // logits x width
  static constexpr std::int64_t kOutputBias = kOutput + kHeadLogits * kHeadWidth;
  static constexpr std::int64_t kCount = kOutputBias + kHeadLogits;
};

// What a row teaches: the answer, and how much it counts for each logit.
struct WeftLesson {
  float happened;  // 1 or 0
  float weight[kHeadLogits];
};

// Running mean and deviation of the columns.
struct WeftScale {
  float mean[kWeftStride];
  float variance[kWeftStride];
  float inverse_deviation[kWeftStride];
  float used[kWeftStride];  // 0 for a column that is left out, else 1
};

// The arrays of a head's pass over rows. Plain pointers, borrowed.
struct WeftHeadView {
  std::int64_t row_count;
  const float* features;  // [rows x kWeftStride]
  const WeftScale* scale;
  const float* weights;
  float* input;              // [rows x kWeftStride] standardised
  float* first;              // [rows x width]
  float* second;             // [rows x width]
  float* logit;              // [rows x 2]
  const WeftLesson* lesson;  // [rows]
  float lesson_scale;        // of their weights
  float* d_logit;
  float* d_second;
};

template <class E>
void WeftStandardizeOn(const E& exec, const WeftHeadView& view);  // input
template <class E>
void WeftRectifyOn(const E& exec, std::int64_t count, float* values);
template <class E>
void WeftLogitsOn(const E& exec, const WeftHeadView& view);  // second rectified, logit
template <class E>
void WeftLossGradientOn(const E& exec, const WeftHeadView& view);  // d_logit, d_second
template <class E>
void WeftGateOn(const E& exec, std::int64_t count, const float* values, float* gradient);
// `weight` of the rows against all before them.
template <class E>
void WeftScaleOn(const E& exec, const float* features, std::int64_t row_count, float weight,
                 WeftScale* scale);

}  // namespace weft::operators::link
