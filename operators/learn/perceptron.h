// Perceptron: from rows of numbers to logits, and the learning of that: columns are standardised
// with running mean and deviation and clipped, then come two hidden layers of kPerceptronWidth
// rectified units, then the logits, each the log-odds of one yes or no. Exact: sums have a fixed
// order.
#pragma once

#include <cstdint>
#include <span>

#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "operators/learn/adam.h"
#include "operators/learn/perceptron_kernels.h"

namespace weft::operators::learn {

struct PerceptronOptions {
  std::int32_t columns = 1;
  std::int32_t logits = 1;
  std::uint64_t seed = 1;
  std::int64_t max_rows = 512;  // of one pass
  AdamOptions adam = {};
};

// Thread-compatible. Rows are PerceptronStride(columns) floats apart.
class Perceptron {
 public:
  Perceptron(const PerceptronOptions& options, const gpu::Exec& exec);

  const PerceptronLayout& layout() const { return layout_; }
  std::int64_t stride() const { return stride_; }

  // Logits of rows, one row's after the other; any number of rows, in pieces of max_rows.
  void Logits(const float* rows, std::int64_t row_count, float* logits) const;

  // What each logit of a row is taught, row by row: the answer, 1 or 0, and how much it counts.
  struct Lessons {
    std::span<const float> answer;
    std::span<const float> weight;
  };
  // One optimiser step down the weighted cross-entropy of at most max_rows rows, all weights
  // multiplied by `scale`. `rate_factor` scales the step.
  void Learn(const float* rows, const Lessons& lessons, float scale, float rate_factor);
  // The derivative that Learn would step along, without the step; for checking it.
  void ComputeGradient(const float* rows, const Lessons& lessons, float scale);
  // After ComputeGradient of so many rows: the derivative by their columns, for what made these.
  // Padding columns of `d_rows` are left as they are but for a factor.
  void ComputeInputGradient(std::int64_t row_count, float* d_rows);
  // The step along what ComputeGradient found.
  void Step(float rate_factor);
  // Moves the running mean and deviation.
  void ObserveScale(const float* rows, std::int64_t row_count);
  // Takes what another of the same shape has learned, its optimiser's memory as well.
  void CopyFrom(const Perceptron& other);
  // Columns [begin, end) count as 0 from now on. Before the first ObserveScale.
  void LeaveOut(std::int32_t begin, std::int32_t end);

  std::span<float> weights() { return weights_.span(); }
  std::span<const float> weights() const { return weights_.span(); }
  std::span<const float> gradient() const { return gradient_.span(); }

  // What else there is to save: mean, variance, 1 / deviation and use of the columns, and how many
  // rows are behind them; the optimiser.
  std::span<float> scale() { return scale_.span(); }
  std::span<const float> scale() const { return scale_.span(); }
  double& scale_rows() { return scale_rows_; }
  double scale_rows() const { return scale_rows_; }
  Adam& adam() { return adam_; }
  const Adam& adam() const { return adam_; }

 private:
  PerceptronView Forward(const float* rows, std::int64_t row_count) const;
  PerceptronScale ScaleView() const;

  PerceptronOptions options_;
  gpu::Exec exec_;
  PerceptronLayout layout_;
  std::int64_t stride_;
  gpu::Buffer<float> weights_, gradient_;
  mutable gpu::Buffer<float> scale_;
  double scale_rows_ = 0.0;  // at most kLongestScale: older ones fade
  Adam adam_;
  gpu::Buffer<float> answer_, lesson_weight_;
  mutable gpu::Buffer<float> input_, first_, second_, logit_;
  gpu::Buffer<float> d_logit_, d_second_, d_first_, transposed_, ones_;
};

}  // namespace weft::operators::learn
