// Bodies of Perceptron; dense algebra stands between them.
#include "operators/learn/perceptron_kernels.h"

#include "gpu/elementary.h"
#include "gpu/launch.h"

namespace weft::operators::learn {
namespace {

constexpr float kLargestInput = 5.0f;  // in deviations

struct Standardize {
  PerceptronView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const float* from = v.rows + row * v.stride;
    float* to = v.input + row * v.stride;
    const PerceptronScale scale = v.scale;
    tile.Each(v.stride, [=](std::int64_t k) {
      const float x = (from[k] - scale.mean[k]) * scale.inverse_deviation[k];
      to[k] = x > kLargestInput ? kLargestInput : x < -kLargestInput ? -kLargestInput : x;
    });
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

// From the derivative by the standardised columns to that by the columns, in place.
struct InputGradient {
  PerceptronView v;
  float* d_rows;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t row) const {
    const float* input = v.input + row * v.stride;
    const float* inverse_deviation = v.scale.inverse_deviation;
    float* d = d_rows + row * v.stride;
    tile.Each(v.stride, [=](std::int64_t k) {
      const bool clipped = input[k] >= kLargestInput || input[k] <= -kLargestInput;
      d[k] = clipped ? 0.0f : d[k] * inverse_deviation[k];
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
void PerceptronInputGradientOn(const E& exec, const PerceptronView& view, float* d_rows) {
  gpu::ForEachTile(exec, view.row_count, InputGradient{view, d_rows});
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
template void PerceptronInputGradientOn(const gpu::BuildExec&, const PerceptronView&, float*);
template void PerceptronLogitsOn(const gpu::BuildExec&, const PerceptronView&);
template void PerceptronLossOn(const gpu::BuildExec&, const PerceptronView&);
template void PerceptronScaleOn(const gpu::BuildExec&, const PerceptronView&, float);

}  // namespace weft::operators::learn
