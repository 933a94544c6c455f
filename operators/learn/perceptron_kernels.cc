// Bodies of Perceptron; dense algebra stands between them.
#include "operators/learn/perceptron_kernels.h"

#include "gpu/elementary.h"
#include "gpu/launch.h"

namespace weft::operators::learn {
namespace {

struct Standardize {
  PerceptronView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    constexpr float kLargest = 5.0f;
    const float* from = v.rows + row * v.stride;
    float* to = v.input + row * v.stride;
    const PerceptronScale scale = v.scale;
    tile.Each(v.stride, [=](std::int64_t k) {
      const float x = (from[k] - scale.mean[k]) * scale.inverse_deviation[k];
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
  PerceptronView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const float* hidden = v.second + row * kPerceptronWidth;
    for (std::int64_t l = 0; l < v.logits; ++l) {
      const float* output = v.output + l * kPerceptronWidth;
      const float sum = tile.Dot(
          kPerceptronWidth, [=](std::int64_t k) { return hidden[k]; },
          [=](std::int64_t k) { return output[k]; });
      tile.Once([&] { v.logit[row * v.logits + l] = sum + v.output_bias[l]; });
    }
  }
};

// Of the weighted binary cross-entropy of the logits.
struct LogitGradient {
  PerceptronView v;
  WEFT_HD void operator()(std::int64_t i) const {
    v.d_logit[i] = v.lesson_scale * v.weight[i] * (gpu::Sigmoid(v.logit[i]) - v.answer[i]);
  }
};

struct HiddenGradient {
  PerceptronView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const std::int64_t logits = v.logits;
    const float* d = v.d_logit + row * logits;
    const float* output = v.output;
    const float* hidden = v.second + row * kPerceptronWidth;
    float* d_hidden = v.d_second + row * kPerceptronWidth;
    tile.Each(kPerceptronWidth, [=](std::int64_t k) {
      float sum = 0.0f;
      for (std::int64_t l = 0; l < logits; ++l)
        sum = gpu::Fma(d[l], output[l * kPerceptronWidth + k], sum);
      d_hidden[k] = hidden[k] > 0.0f ? sum : 0.0f;
    });
  }
};

// Moments of sixteen columns.
struct MoveScale {
  static constexpr std::int64_t kColumns = 16;
  PerceptronView v;
  float weight;
  WEFT_HD void operator()(std::int64_t block) const {
    const std::int64_t first = block * kColumns;
    const PerceptronScale scale = v.scale;
    float sum[kColumns] = {};
    float square[kColumns] = {};
    float mean[kColumns];
    for (std::int64_t c = 0; c < kColumns; ++c) mean[c] = scale.mean[first + c];
    for (std::int64_t row = 0; row < v.row_count; ++row) {
      const float* values = v.rows + row * v.stride + first;
      WEFT_UNROLL
      for (std::int64_t c = 0; c < kColumns; ++c) {
        const float x = values[c] - mean[c];
        sum[c] = sum[c] + x;
        square[c] = gpu::Fma(x, x, square[c]);
      }
    }
    for (std::int64_t c = 0; c < kColumns; ++c) {
      // Shift of the rows' mean, and their mean square about the old one.
      const float shift = sum[c] / static_cast<float>(v.row_count);
      const float spread = square[c] / static_cast<float>(v.row_count);
      const float moved = weight * shift;
      float variance = scale.variance[first + c];
      variance = variance + weight * (spread - variance) - moved * moved;
      variance = variance > 0.0f ? variance : 0.0f;
      scale.mean[first + c] = mean[c] + moved;
      scale.variance[first + c] = variance;
      scale.inverse_deviation[first + c] =
          scale.used[first + c] / __builtin_sqrtf(variance + 1e-6f);
    }
  }
};

}  // namespace

template <class E>
void PerceptronStandardizeOn(const E& exec, const PerceptronView& view) {
  gpu::ForEachTile(exec, view.row_count, Standardize{view});
}
template <class E>
void PerceptronRectifyOn(const E& exec, std::int64_t count, float* values) {
  gpu::ForEachIndex(exec, count, Rectify{values});
}
template <class E>
void PerceptronGateOn(const E& exec, std::int64_t count, const float* values, float* gradient) {
  gpu::ForEachIndex(exec, count, Gate{values, gradient});
}
template <class E>
void PerceptronLogitsOn(const E& exec, const PerceptronView& view) {
  gpu::ForEachTile(exec, view.row_count, LogitsOfRow{view});
}
template <class E>
void PerceptronLossOn(const E& exec, const PerceptronView& view) {
  gpu::ForEachIndex(exec, view.row_count * view.logits, LogitGradient{view});
  gpu::ForEachTile(exec, view.row_count, HiddenGradient{view});
}
template <class E>
void PerceptronScaleOn(const E& exec, const PerceptronView& view, float weight) {
  gpu::ForEachIndex(exec, view.stride / MoveScale::kColumns, MoveScale{view, weight});
}

template void PerceptronStandardizeOn(const gpu::BuildExec&, const PerceptronView&);
template void PerceptronRectifyOn(const gpu::BuildExec&, std::int64_t, float*);
template void PerceptronGateOn(const gpu::BuildExec&, std::int64_t, const float*, float*);
template void PerceptronLogitsOn(const gpu::BuildExec&, const PerceptronView&);
template void PerceptronLossOn(const gpu::BuildExec&, const PerceptronView&);
template void PerceptronScaleOn(const gpu::BuildExec&, const PerceptronView&, float);

}  // namespace weft::operators::learn
