// WeftHead: from the features of a pair to its three logits, and the learning of that: columns are
// standardised with running mean and deviation and clipped, then a perceptron with two hidden
// layers of 64 has three outputs, log-odds that a pair happened:
//   random      against a target drawn from all
//   historical  against another past target of the source
//   joint       against a list that mixes both
// Rows are features as weft_features.h has them. Exact: sums have a fixed order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "graph/state.h"
#include "operators/learn/adam.h"
#include "operators/link/weft_groups.h"
#include "operators/link/weft_head_kernels.h"

namespace weft::operators::link {

class WeftHead {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t max_rows = 512;  // of one pass
    learn::AdamOptions adam;
    std::vector<const WeftGroup*> without;  // groups whose columns are always 0
  };

  WeftHead(const Options& options, const gpu::Exec& exec);

  // Logits of rows, kHeadLogits a row; any number of them, in pieces of max_rows.
  void Logits(const float* features, std::int64_t row_count, float* logits) const;
  // One optimiser step on at most max_rows rows, each with its lesson, whose weights are multiplied
  // by `lesson_scale`. `rate_factor` scales the step.
  void Learn(const float* features, std::span<const WeftLesson> lessons, float lesson_scale,
             float rate_factor);
  // Moves the running mean and deviation.
  void ObserveScale(const float* features, std::int64_t row_count);

  std::span<float> weights() { return weights_.span(); }
  std::span<const float> gradient() const { return gradient_.span(); }
  // The derivative that Learn would step along, without the step; for checking it.
  void ComputeGradient(const float* features, std::span<const WeftLesson> lessons,
                       float lesson_scale);

  absl::Status Save(graph::CheckpointSink& sink) const;
  absl::Status Load(graph::CheckpointSource& source);

 private:
  WeftHeadView Forward(const float* features, std::int64_t row_count) const;

  Options options_;
  gpu::Exec exec_;
  gpu::Buffer<float> weights_, gradient_;
  gpu::Buffer<WeftScale> scale_;  // one
  double scale_rows_ = 0.0;       // behind it, at most kLongestScale: older ones fade
  learn::Adam adam_;
  gpu::Buffer<WeftLesson> lesson_;
  mutable gpu::Buffer<float> input_, first_, second_, logit_;
  gpu::Buffer<float> d_logit_, d_second_, d_first_, transposed_, ones_;
};

}  // namespace weft::operators::link
