#include "operators/link/weft_head.h"

#include <algorithm>

#include "graph/check.h"
#include "operators/link/section.h"

namespace weft::operators::link {

WeftHead::WeftHead(const Options& options, const gpu::Exec& exec)
    : perceptron_({.columns = kWeftColumnCount,
                   .logits = kHeadLogits,
                   .seed = options.seed,
                   .max_rows = options.max_rows,
                   .adam = options.adam},
                  exec) {
  for (const WeftGroup* group : options.without)
    for (const WeftColumnRange& range : group->columns)
      perceptron_.LeaveOut(range.begin, range.end);
}

learn::Perceptron::Lessons WeftHead::Unpack(std::span<const WeftLesson> lessons) {
  answer_.clear();
  weight_.clear();
  for (const WeftLesson& lesson : lessons) {
    answer_.insert(answer_.end(), kHeadLogits, lesson.happened);
    weight_.insert(weight_.end(), lesson.weight, lesson.weight + kHeadLogits);
  }
  return {.answer = answer_, .weight = weight_};
}

void WeftHead::ComputeGradient(const float* features, std::span<const WeftLesson> lessons,
                               float lesson_scale) {
  perceptron_.ComputeGradient(features, Unpack(lessons), lesson_scale);
}

void WeftHead::Learn(const float* features, std::span<const WeftLesson> lessons, float lesson_scale,
                     float rate_factor) {
  perceptron_.Learn(features, Unpack(lessons), lesson_scale, rate_factor);
}

absl::Status WeftHead::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue("columns", std::int64_t{kWeftColumnCount}, sink));
  WEFT_TRY(WriteArray("weights", perceptron_.weights(), sink));
  WEFT_TRY(sink.Write("scale", std::as_bytes(perceptron_.scale())));
  WEFT_TRY(WriteValue("scale", perceptron_.scale_rows(), sink));
  WEFT_TRY(WriteArray("optimizer", perceptron_.adam().moments().span(), sink));
  return WriteValue("optimizer", perceptron_.adam().powers(), sink);
}

absl::Status WeftHead::Load(graph::CheckpointSource& source) {
  constexpr std::int64_t kCount = kWeftHeadLayout.count;
  std::int64_t columns = 0;
  WEFT_TRY(ReadValue("columns", columns, source));
  if (columns != kWeftColumnCount)
    return absl::FailedPreconditionError(
        graph::Concat("expected a model of ", kWeftColumnCount, " columns, got one of ", columns));
  std::vector<float> values;
  WEFT_TRY(ReadArray("weights", kCount, values, source));
  if (static_cast<std::int64_t>(values.size()) != kCount)
    return absl::DataLossError(graph::Concat("expected ", kCount, " weights, got ", values.size()));
  std::copy(values.begin(), values.end(), perceptron_.weights().begin());
  WEFT_TRY(source.Read("scale", std::as_writable_bytes(perceptron_.scale())));
  WEFT_TRY(ReadValue("scale", perceptron_.scale_rows(), source));
  WEFT_TRY(ReadArray("optimizer", 2 * kCount, values, source));
  if (static_cast<std::int64_t>(values.size()) != 2 * kCount)
    return absl::DataLossError(
        graph::Concat("expected ", 2 * kCount, " moments, got ", values.size()));
  std::copy(values.begin(), values.end(), perceptron_.adam().moments().data());
  return ReadValue("optimizer", perceptron_.adam().powers(), source);
}

}  // namespace weft::operators::link
