// Bodies of WeftHead; dense algebra stands between them.
#include "operators/link/weft_head_kernels.h"

#include "gpu/elementary.h"
#include "gpu/launch.h"

namespace weft::operators::link {
namespace {

struct Standardize {
  WeftHeadView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    constexpr float kLargest = 5.0f;
    const float* from = v.features + row * kWeftStride;
    float* to = v.input + row * kWeftStride;
    const WeftScale* scale = v.scale;
    tile.Each(kWeftStride, [=](std::int64_t k) {
      const float x = (from[k] - scale->mean[k]) * scale->inverse_deviation[k];
      to[k] = x > kLargest ? kLargest : x < -kLargest ? -kLargest : x;
    });
  }
};

struct Rectify {
  float* values;
  WEFT_HD void operator()(std::int64_t i) const { values[i] = values[i] > 0.0f ? values[i] : 0.0f; }
};

// Lets a gradient through where the rectified value is above zero.
struct Gate {
  const float* values;
  float* gradient;
  WEFT_HD void operator()(std::int64_t i) const {
    gradient[i] = values[i] > 0.0f ? gradient[i] : 0.0f;
  }
};

struct LogitsOfRow {
  WeftHeadView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const float* hidden = v.second + row * kHeadWidth;
    const float* output = v.weights + WeftHeadLayout::kOutput;
    const float* bias = v.weights + WeftHeadLayout::kOutputBias;
    for (int l = 0; l < kHeadLogits; ++l) {
      const float sum = tile.Dot(
          kHeadWidth, [=](std::int64_t k) { return hidden[k]; },
          [=](std::int64_t k) { return output[l * kHeadWidth + k]; });
      tile.Once([&] { v.logit[row * kHeadLogits + l] = sum + bias[l]; });
    }
  }
};

// Of the weighted binary cross-entropy of the logits.
struct LossGradient {
  WeftHeadView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const WeftLesson lesson = v.lesson[row];
    float d[kHeadLogits];
    for (int l = 0; l < kHeadLogits; ++l)
      d[l] = v.lesson_scale * lesson.weight[l] *
             (gpu::Sigmoid(v.logit[row * kHeadLogits + l]) - lesson.happened);
    tile.Once([&] {
      for (int l = 0; l < kHeadLogits; ++l) v.d_logit[row * kHeadLogits + l] = d[l];
    });
    const float* output = v.weights + WeftHeadLayout::kOutput;
    const float* hidden = v.second + row * kHeadWidth;
    float* d_hidden = v.d_second + row * kHeadWidth;
    tile.Each(kHeadWidth, [=](std::int64_t k) {
      float sum = 0.0f;
      for (int l = 0; l < kHeadLogits; ++l) sum = gpu::Fma(d[l], output[l * kHeadWidth + k], sum);
      d_hidden[k] = hidden[k] > 0.0f ? sum : 0.0f;
    });
  }
};

// Moments of sixteen columns.
struct MoveScale {
  static constexpr std::int64_t kColumns = 16;
  const float* features;
  std::int64_t row_count;
  float weight;
  WeftScale* scale;
  WEFT_HD void operator()(std::int64_t block) const {
    const std::int64_t first = block * kColumns;
    float sum[kColumns] = {};
    float square[kColumns] = {};
    float mean[kColumns];
    for (std::int64_t c = 0; c < kColumns; ++c) mean[c] = scale->mean[first + c];
    for (std::int64_t row = 0; row < row_count; ++row) {
      const float* values = features + row * kWeftStride + first;
      WEFT_UNROLL
      for (std::int64_t c = 0; c < kColumns; ++c) {
        const float x = values[c] - mean[c];
        sum[c] = sum[c] + x;
        square[c] = gpu::Fma(x, x, square[c]);
      }
    }
    for (std::int64_t c = 0; c < kColumns; ++c) {
      // Shift of the rows' mean, and their mean square about the old one.
      const float shift = sum[c] / static_cast<float>(row_count);
      const float spread = square[c] / static_cast<float>(row_count);
      const float moved = weight * shift;
      float variance = scale->variance[first + c];
      variance = variance + weight * (spread - variance) - moved * moved;
      variance = variance > 0.0f ? variance : 0.0f;
      scale->mean[first + c] = mean[c] + moved;
      scale->variance[first + c] = variance;
      scale->inverse_deviation[first + c] =
          scale->used[first + c] / __builtin_sqrtf(variance + 1e-6f);
    }
  }
};

}  // namespace

template <class E>
void WeftStandardizeOn(const E& exec, const WeftHeadView& view) {
  gpu::ForEachTile(exec, view.row_count, Standardize{view});
}
template <class E>
void WeftRectifyOn(const E& exec, std::int64_t count, float* values) {
  gpu::ForEachIndex(exec, count, Rectify{values});
}
template <class E>
void WeftGateOn(const E& exec, std::int64_t count, const float* values, float* gradient) {
  gpu::ForEachIndex(exec, count, Gate{values, gradient});
}
template <class E>
void WeftLogitsOn(const E& exec, const WeftHeadView& view) {
  gpu::ForEachTile(exec, view.row_count, LogitsOfRow{view});
}
template <class E>
void WeftLossGradientOn(const E& exec, const WeftHeadView& view) {
  gpu::ForEachTile(exec, view.row_count, LossGradient{view});
}
template <class E>
void WeftScaleOn(const E& exec, const float* features, std::int64_t row_count, float weight,
                 WeftScale* scale) {
  gpu::ForEachIndex(exec, kWeftStride / MoveScale::kColumns,
                    MoveScale{features, row_count, weight, scale});
}

template void WeftStandardizeOn(const gpu::BuildExec&, const WeftHeadView&);
template void WeftRectifyOn(const gpu::BuildExec&, std::int64_t, float*);
template void WeftGateOn(const gpu::BuildExec&, std::int64_t, const float*, float*);
template void WeftLogitsOn(const gpu::BuildExec&, const WeftHeadView&);
template void WeftLossGradientOn(const gpu::BuildExec&, const WeftHeadView&);
template void WeftScaleOn(const gpu::BuildExec&, const float*, std::int64_t, float, WeftScale*);

}  // namespace weft::operators::link
