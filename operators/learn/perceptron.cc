#include "operators/learn/perceptron.h"

#include <algorithm>
#include <cmath>

#include "gpu/gemm.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/learn/dense_layer.h"
#include "operators/learn/rectifier.h"

namespace weft::operators::learn {
namespace {

constexpr std::int64_t kWidth = kPerceptronWidth;
// Rows that stand behind the running scale at most.
constexpr double kLongestScale = 200'000.0;

// With the bound that keeps a rectifier's variance (He et al. 2015).
void FillLayer(std::uint64_t seed, std::int64_t begin, std::int64_t inputs, std::int64_t outputs,
               float* weights) {
  FillUniform(seed, begin, inputs * outputs, std::sqrt(6.0f / static_cast<float>(inputs)), weights);
}

// To a hidden layer.
gpu::GemmArguments Layer(std::int64_t rows, std::int64_t inputs, const float* from,
                         std::int64_t from_stride, const float* weight, const float* bias,
                         float* to) {
  return DenseLayer(rows, inputs, from, from_stride, kWidth, weight, bias, to);
}

}  // namespace

Perceptron::Perceptron(const PerceptronOptions& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      layout_(PerceptronLayoutOf(options.columns, options.logits)),
      stride_(PerceptronStride(options.columns)),
      weights_(layout_.count, gpu::MemoryOf(exec)),
      gradient_(layout_.count, gpu::MemoryOf(exec)),
      scale_(4 * stride_, gpu::MemoryOf(exec)),
      adam_(layout_.count, options.adam, gpu::MemoryOf(exec)),
      answer_(options.max_rows * options.logits, gpu::MemoryOf(exec)),
      lesson_weight_(options.max_rows * options.logits, gpu::MemoryOf(exec)),
      input_(options.max_rows * stride_, gpu::MemoryOf(exec)),
      first_(options.max_rows * kWidth, gpu::MemoryOf(exec)),
      second_(options.max_rows * kWidth, gpu::MemoryOf(exec)),
      logit_(options.max_rows * options.logits, gpu::MemoryOf(exec)),
      d_logit_(options.max_rows * options.logits, gpu::MemoryOf(exec)),
      d_second_(options.max_rows * kWidth, gpu::MemoryOf(exec)),
      d_first_(options.max_rows * kWidth, gpu::MemoryOf(exec)),
      transposed_(kWidth * kWidth, gpu::MemoryOf(exec)),
      ones_(options.max_rows, gpu::MemoryOf(exec)) {
  FillLayer(options.seed, layout_.first, options.columns, kWidth, weights_.data());
  FillLayer(options.seed, layout_.second, kWidth, kWidth, weights_.data());
  // A tenth of it: the first answers are near one half.
  FillLayer(options.seed, layout_.output, kWidth, options.logits, weights_.data());
  for (std::int64_t i = layout_.output; i < layout_.output_bias; ++i) weights_[i] *= 0.1f;
  std::fill_n(ones_.data(), options.max_rows, 1.0f);
  const PerceptronScale scale = ScaleView();
  std::fill_n(scale.variance, stride_, 1.0f);
  std::fill_n(scale.used, stride_, 1.0f);
  std::fill_n(scale.inverse_deviation, stride_, 1.0f);
}

PerceptronScale Perceptron::ScaleView() const {
  float* const scale = scale_.data();
  return {.mean = scale,
          .variance = scale + stride_,
          .inverse_deviation = scale + 2 * stride_,
          .used = scale + 3 * stride_};
}

void Perceptron::LeaveOut(std::int32_t begin, std::int32_t end) {
  const PerceptronScale scale = ScaleView();
  std::fill(scale.used + begin, scale.used + end, 0.0f);
  std::fill(scale.inverse_deviation + begin, scale.inverse_deviation + end, 0.0f);
}

void Perceptron::CopyFrom(const Perceptron& other) {
  WEFT_CHECK(other.layout_.count == layout_.count && other.stride_ == stride_);
  gpu::Synchronize(exec_);
  std::ranges::copy(other.weights(), weights().begin());
  std::ranges::copy(other.scale(), scale().begin());
  scale_rows_ = other.scale_rows_;
  std::ranges::copy(other.adam_.moments().span(), adam_.moments().span().begin());
  adam_.powers() = other.adam_.powers();
}

PerceptronView Perceptron::Forward(const float* rows, std::int64_t row_count) const {
  PerceptronView view = {};
  view.row_count = row_count;
  view.stride = stride_;
  view.logits = options_.logits;
  view.rows = rows;
  view.scale = ScaleView();
  const float* w = weights_.data();
  view.output = w + layout_.output;
  view.output_bias = w + layout_.output_bias;
  view.input = input_.data();
  view.first = first_.data();
  view.second = second_.data();
  view.logit = logit_.data();
  std::visit([&](const auto& e) { PerceptronStandardizeOn(e, view); }, exec_);
  gpu::Gemm(exec_, Layer(row_count, options_.columns, view.input, stride_, w + layout_.first,
                         w + layout_.first_bias, view.first));
  std::visit([&](const auto& e) { RectifyOn(e, row_count * kWidth, view.first); }, exec_);
  gpu::Gemm(exec_, Layer(row_count, kWidth, view.first, kWidth, w + layout_.second,
                         w + layout_.second_bias, view.second));
  std::visit([&](const auto& e) { RectifyOn(e, row_count * kWidth, view.second); }, exec_);
  std::visit([&](const auto& e) { PerceptronLogitsOn(e, view); }, exec_);
  return view;
}

void Perceptron::Logits(const float* rows, std::int64_t row_count, float* logits) const {
  const std::int64_t width = options_.logits;
  for (std::int64_t begin = 0; begin < row_count; begin += options_.max_rows) {
    const std::int64_t count = std::min(options_.max_rows, row_count - begin);
    Forward(rows + begin * stride_, count);
    gpu::Synchronize(exec_);
    std::copy_n(logit_.data(), count * width, logits + begin * width);
  }
}

void Perceptron::ComputeGradient(const float* rows, const Lessons& lessons, float scale) {
  const std::int64_t logits = options_.logits;
  const auto row_count = static_cast<std::int64_t>(lessons.answer.size()) / logits;
  WEFT_CHECK(row_count <= options_.max_rows && lessons.weight.size() == lessons.answer.size());
  gpu::Synchronize(exec_);
  std::copy(lessons.answer.begin(), lessons.answer.end(), answer_.data());
  std::copy(lessons.weight.begin(), lessons.weight.end(), lesson_weight_.data());
  PerceptronView view = Forward(rows, row_count);
  view.answer = answer_.data();
  view.weight = lesson_weight_.data();
  view.lesson_scale = scale;
  view.d_logit = d_logit_.data();
  view.d_second = d_second_.data();
  std::visit([&](const auto& e) { PerceptronLossOn(e, view); }, exec_);
  float* g = gradient_.data();
  const float* ones = ones_.data();
  float* d_first = d_first_.data();
  gpu::Gemm(exec_, OuterProduct(row_count, view.d_logit, logits, logits, view.second, kWidth,
                                g + layout_.output));
  gpu::Gemm(exec_,
            OuterProduct(row_count, ones, 1, 1, view.d_logit, logits, g + layout_.output_bias));
  gpu::Gemm(exec_, OuterProduct(row_count, view.first, kWidth, kWidth, view.d_second, kWidth,
                                g + layout_.second));
  gpu::Gemm(exec_,
            OuterProduct(row_count, ones, 1, 1, view.d_second, kWidth, g + layout_.second_bias));
  gpu::Transpose(exec_, kWidth, kWidth, weights_.data() + layout_.second, transposed_.data());
  gpu::Gemm(exec_,
            Layer(row_count, kWidth, view.d_second, kWidth, transposed_.data(), nullptr, d_first));
  std::visit(
      [&](const auto& e) { RectifierGradientOn(e, row_count * kWidth, view.first, d_first); },
      exec_);
  gpu::Gemm(exec_, OuterProduct(row_count, view.input, stride_, options_.columns, d_first, kWidth,
                                g + layout_.first));
  gpu::Gemm(exec_, OuterProduct(row_count, ones, 1, 1, d_first, kWidth, g + layout_.first_bias));
}

void Perceptron::ComputeInputGradient(std::int64_t row_count, float* d_rows) {
  gpu::Buffer<float> first(layout_.first_bias, gpu::MemoryOf(exec_));
  gpu::Transpose(exec_, options_.columns, kWidth, weights_.data() + layout_.first, first.data());
  gpu::GemmArguments product = DenseLayer(row_count, kWidth, d_first_.data(), kWidth,
                                          options_.columns, first.data(), nullptr, d_rows);
  product.c_row_stride = stride_;
  gpu::Gemm(exec_, product);
  PerceptronView view = {};
  view.row_count = row_count;
  view.stride = stride_;
  view.scale = ScaleView();
  view.input = input_.data();
  std::visit([&](const auto& e) { PerceptronInputGradientOn(e, view, d_rows); }, exec_);
  gpu::Synchronize(exec_);
}

void Perceptron::Learn(const float* rows, const Lessons& lessons, float scale, float rate_factor) {
  ComputeGradient(rows, lessons, scale);
  Step(rate_factor);
}

void Perceptron::Step(float rate_factor) {
  adam_.Step(exec_, weights_.data(), gradient_.data(), rate_factor);
}

void Perceptron::ObserveScale(const float* rows, std::int64_t row_count) {
  if (row_count == 0) return;
  scale_rows_ = std::min(kLongestScale, scale_rows_ + static_cast<double>(row_count));
  const auto weight = static_cast<float>(static_cast<double>(row_count) / scale_rows_);
  PerceptronView view = {};
  view.row_count = row_count;
  view.stride = stride_;
  view.rows = rows;
  view.scale = ScaleView();
  std::visit([&](const auto& e) { PerceptronScaleOn(e, view, weight); }, exec_);
}

}  // namespace weft::operators::learn
