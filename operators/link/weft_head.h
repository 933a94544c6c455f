// WeftHead: from the features of a pair to its three logits, and the learning of that: a perceptron
// (operators/learn/perceptron.h) with three outputs, log-odds that a pair happened:
//   random      against a target drawn from all
//   historical  against another past target of the source
//   joint       against a list that mixes both
// Rows are features as weft_features.h has them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gpu/exec.h"
#include "graph/state.h"
#include "operators/learn/perceptron.h"
#include "operators/link/weft_features.h"
#include "operators/link/weft_groups.h"

namespace weft::operators::link {

inline constexpr std::int32_t kHeadWidth = learn::kPerceptronWidth;
inline constexpr std::int32_t kHeadLogits = 3;
inline constexpr learn::PerceptronLayout kWeftHeadLayout =
    learn::PerceptronLayoutOf(kWeftColumnCount, kHeadLogits);
static_assert(kWeftStride == learn::PerceptronStride(kWeftColumnCount));

// What a row teaches: the answer, and how much it counts for each logit.
struct WeftLesson {
  float happened;  // 1 or 0
  float weight[kHeadLogits];
};

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
  void Logits(const float* features, std::int64_t row_count, float* logits) const {
    perceptron_.Logits(features, row_count, logits);
  }
  // One optimiser step on at most max_rows rows, each with its lesson, whose weights are multiplied
  // by `lesson_scale`. `rate_factor` scales the step.
  void Learn(const float* features, std::span<const WeftLesson> lessons, float lesson_scale,
             float rate_factor);
  // Takes what another one has learned.
  void CopyFrom(const WeftHead& other) { perceptron_.CopyFrom(other.perceptron_); }
  // Moves the running mean and deviation.
  void ObserveScale(const float* features, std::int64_t row_count) {
    perceptron_.ObserveScale(features, row_count);
  }

  // Running means of the columns, kWeftStride.
  std::span<const float> means() const { return perceptron_.scale().first(kWeftStride); }
  std::span<float> weights() { return perceptron_.weights(); }
  std::span<const float> gradient() const { return perceptron_.gradient(); }
  // The derivative that Learn would step along, without the step; for checking it.
  void ComputeGradient(const float* features, std::span<const WeftLesson> lessons,
                       float lesson_scale);

  absl::Status Save(graph::CheckpointSink& sink) const;
  absl::Status Load(graph::CheckpointSource& source);

 private:
  learn::Perceptron::Lessons Unpack(std::span<const WeftLesson> lessons);

  learn::Perceptron perceptron_;
  // Of the rows at hand.
  std::vector<float> answer_, weight_;
};

}  // namespace weft::operators::link
