#include "operators/link/weft_head.h"

#include <algorithm>
#include <cmath>

#include "gpu/gemm.h"
#include "graph/check.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

using Layout = WeftHeadLayout;

// Rows that stand behind the running scale at most.
constexpr double kLongestScale = 200'000.0;

// Uniform in [-bound, bound] with the bound that keeps a rectifier's variance (He et al. 2015).
void FillUniform(std::uint64_t seed, std::int64_t begin, std::int64_t inputs, std::int64_t outputs,
                 float* weights) {
  const float bound = std::sqrt(6.0f / static_cast<float>(inputs));
  for (std::int64_t i = begin; i < begin + inputs * outputs; ++i) {
    const std::uint64_t hash = gpu::CounterHash(seed, static_cast<std::uint64_t>(i), 0);
    weights[i] = bound * (2.0f * gpu::UnitFloat(hash) - 1.0f);
  }
}

// c[m x width] = a[m x k] * b + bias.
gpu::GemmArguments Layer(std::int64_t m, std::int64_t k, const float* a, std::int64_t a_stride,
                         const float* b, const float* bias, float* c) {
  return {.m = m,
          .n = kHeadWidth,
          .k = k,
          .a = a,
          .a_row_stride = a_stride,
          .b = b,
          .b_row_stride = kHeadWidth,
          .c = c,
          .c_row_stride = kHeadWidth,
          .bias = bias};
}

// to[columns x right_width] = left^T right over `rows` rows.
gpu::GemmArguments OuterProduct(std::int64_t rows, const float* left, std::int64_t left_stride,
                                std::int64_t columns, const float* right, std::int64_t right_width,
                                float* to) {
  return {.m = columns,
          .n = right_width,
          .k = rows,
          .a = left,
          .a_row_stride = 1,
          .a_column_stride = left_stride,
          .b = right,
          .b_row_stride = right_width,
          .c = to,
          .c_row_stride = right_width};
}

}  // namespace

WeftHead::WeftHead(const Options& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      weights_(Layout::kCount, gpu::MemoryOf(exec)),
      gradient_(Layout::kCount, gpu::MemoryOf(exec)),
      scale_(1, gpu::MemoryOf(exec)),
      adam_(Layout::kCount, options.adam, gpu::MemoryOf(exec)),
      lesson_(options.max_rows, gpu::MemoryOf(exec)),
      input_(options.max_rows * kWeftStride, gpu::MemoryOf(exec)),
      first_(options.max_rows * kHeadWidth, gpu::MemoryOf(exec)),
      second_(options.max_rows * kHeadWidth, gpu::MemoryOf(exec)),
      logit_(options.max_rows * kHeadLogits, gpu::MemoryOf(exec)),
      d_logit_(options.max_rows * kHeadLogits, gpu::MemoryOf(exec)),
      d_second_(options.max_rows * kHeadWidth, gpu::MemoryOf(exec)),
      d_first_(options.max_rows * kHeadWidth, gpu::MemoryOf(exec)),
      transposed_(kHeadWidth * kHeadWidth, gpu::MemoryOf(exec)),
      ones_(options.max_rows, gpu::MemoryOf(exec)) {
  FillUniform(options.seed, Layout::kFirst, kWeftColumnCount, kHeadWidth, weights_.data());
  FillUniform(options.seed, Layout::kSecond, kHeadWidth, kHeadWidth, weights_.data());
  // A tenth of it: the first scores are near one half.
  FillUniform(options.seed, Layout::kOutput, kHeadWidth, kHeadLogits, weights_.data());
  for (std::int64_t i = Layout::kOutput; i < Layout::kOutputBias; ++i) weights_[i] *= 0.1f;
  for (float& one : ones_.span()) one = 1.0f;
  std::fill_n(scale_[0].variance, kWeftStride, 1.0f);
  std::fill_n(scale_[0].used, kWeftStride, 1.0f);
  for (const WeftGroup* group : options.without)
    for (const WeftColumnRange& range : group->columns)
      std::fill(scale_[0].used + range.begin, scale_[0].used + range.end, 0.0f);
  std::copy_n(scale_[0].used, kWeftStride, scale_[0].inverse_deviation);
}

WeftHeadView WeftHead::Forward(const float* features, std::int64_t row_count) const {
  WeftHeadView view = {};
  view.row_count = row_count;
  view.features = features;
  view.scale = scale_.data();
  view.weights = weights_.data();
  view.input = input_.data();
  view.first = first_.data();
  view.second = second_.data();
  view.logit = logit_.data();
  const float* w = weights_.data();
  std::visit([&](const auto& e) { WeftStandardizeOn(e, view); }, exec_);
  gpu::Gemm(exec_, Layer(row_count, kWeftColumnCount, view.input, kWeftStride, w + Layout::kFirst,
                         w + Layout::kFirstBias, view.first));
  std::visit([&](const auto& e) { WeftRectifyOn(e, row_count * kHeadWidth, view.first); }, exec_);
  gpu::Gemm(exec_, Layer(row_count, kHeadWidth, view.first, kHeadWidth, w + Layout::kSecond,
                         w + Layout::kSecondBias, view.second));
  std::visit([&](const auto& e) { WeftRectifyOn(e, row_count * kHeadWidth, view.second); }, exec_);
  std::visit([&](const auto& e) { WeftLogitsOn(e, view); }, exec_);
  return view;
}

void WeftHead::Logits(const float* features, std::int64_t row_count, float* logits) const {
  for (std::int64_t begin = 0; begin < row_count; begin += options_.max_rows) {
    const std::int64_t count = std::min(options_.max_rows, row_count - begin);
    Forward(features + begin * kWeftStride, count);
    gpu::Synchronize(exec_);
    std::copy_n(logit_.data(), count * kHeadLogits, logits + begin * kHeadLogits);
  }
}

void WeftHead::ComputeGradient(const float* features, std::span<const WeftLesson> lessons,
                               float lesson_scale) {
  const auto rows = static_cast<std::int64_t>(lessons.size());
  WEFT_CHECK(rows <= options_.max_rows);
  gpu::Synchronize(exec_);
  std::copy(lessons.begin(), lessons.end(), lesson_.data());
  WeftHeadView view = Forward(features, rows);
  view.lesson = lesson_.data();
  view.lesson_scale = lesson_scale;
  view.d_logit = d_logit_.data();
  view.d_second = d_second_.data();
  std::visit([&](const auto& e) { WeftLossGradientOn(e, view); }, exec_);
  float* g = gradient_.data();
  const float* ones = ones_.data();
  gpu::Gemm(exec_, OuterProduct(rows, view.d_logit, kHeadLogits, kHeadLogits, view.second,
                                kHeadWidth, g + Layout::kOutput));
  gpu::Gemm(exec_,
            OuterProduct(rows, ones, 1, 1, view.d_logit, kHeadLogits, g + Layout::kOutputBias));
  gpu::Gemm(exec_, OuterProduct(rows, view.first, kHeadWidth, kHeadWidth, view.d_second, kHeadWidth,
                                g + Layout::kSecond));
  gpu::Gemm(exec_,
            OuterProduct(rows, ones, 1, 1, view.d_second, kHeadWidth, g + Layout::kSecondBias));
  gpu::Transpose(exec_, kHeadWidth, kHeadWidth, weights_.data() + Layout::kSecond,
                 transposed_.data());
  gpu::Gemm(exec_, Layer(rows, kHeadWidth, view.d_second, kHeadWidth, transposed_.data(), nullptr,
                         d_first_.data()));
  std::visit([&](const auto& e) { WeftGateOn(e, rows * kHeadWidth, view.first, d_first_.data()); },
             exec_);
  gpu::Gemm(exec_, OuterProduct(rows, view.input, kWeftStride, kWeftColumnCount, d_first_.data(),
                                kHeadWidth, g + Layout::kFirst));
  gpu::Gemm(exec_,
            OuterProduct(rows, ones, 1, 1, d_first_.data(), kHeadWidth, g + Layout::kFirstBias));
}

void WeftHead::Learn(const float* features, std::span<const WeftLesson> lessons, float lesson_scale,
                     float rate_factor) {
  ComputeGradient(features, lessons, lesson_scale);
  adam_.Step(exec_, weights_.data(), gradient_.data(), rate_factor);
}

void WeftHead::ObserveScale(const float* features, std::int64_t row_count) {
  if (row_count == 0) return;
  scale_rows_ = std::min(kLongestScale, scale_rows_ + static_cast<double>(row_count));
  const auto weight = static_cast<float>(static_cast<double>(row_count) / scale_rows_);
  std::visit([&](const auto& e) { WeftScaleOn(e, features, row_count, weight, scale_.data()); },
             exec_);
}

absl::Status WeftHead::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue("columns", std::int64_t{kWeftColumnCount}, sink));
  WEFT_TRY(WriteArray("weights", weights_.span(), sink));
  WEFT_TRY(WriteValue("scale", scale_[0], sink));
  WEFT_TRY(WriteValue("scale", scale_rows_, sink));
  WEFT_TRY(WriteArray("optimizer", adam_.moments().span(), sink));
  return WriteValue("optimizer", adam_.powers(), sink);
}

absl::Status WeftHead::Load(graph::CheckpointSource& source) {
  std::int64_t columns = 0;
  WEFT_TRY(ReadValue("columns", columns, source));
  if (columns != kWeftColumnCount)
    return absl::FailedPreconditionError(
        graph::Concat("expected a model of ", kWeftColumnCount, " columns, got one of ", columns));
  std::vector<float> values;
  WEFT_TRY(ReadArray("weights", Layout::kCount, values, source));
  if (static_cast<std::int64_t>(values.size()) != Layout::kCount)
    return absl::DataLossError(
        graph::Concat("expected ", Layout::kCount, " weights, got ", values.size()));
  std::copy(values.begin(), values.end(), weights_.data());
  WEFT_TRY(ReadValue("scale", scale_[0], source));
  WEFT_TRY(ReadValue("scale", scale_rows_, source));
  WEFT_TRY(ReadArray("optimizer", 2 * Layout::kCount, values, source));
  if (static_cast<std::int64_t>(values.size()) != 2 * Layout::kCount)
    return absl::DataLossError(
        graph::Concat("expected ", 2 * Layout::kCount, " moments, got ", values.size()));
  std::copy(values.begin(), values.end(), adam_.moments().data());
  return ReadValue("optimizer", adam_.powers(), source);
}

}  // namespace weft::operators::link
