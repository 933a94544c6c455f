#include "operators/learn/perceptron.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/learn/derivative_check.h"

namespace weft::operators::learn {
namespace {

struct Task {
  std::vector<float> rows;
  std::vector<float> answer;
  std::vector<float> weight;
  Perceptron::Lessons lessons() const { return {.answer = answer, .weight = weight}; }
};

// Normal columns, random answers of any weight.
Task MakeTask(const PerceptronOptions& options, std::int64_t row_count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  const std::int64_t stride = PerceptronStride(options.columns);
  Task task;
  for (std::int64_t i = 0; i < row_count * stride; ++i)
    task.rows.push_back(i % stride < options.columns ? 3.0f * normal(random) + 1.0f : 0.0f);
  for (std::int64_t i = 0; i < row_count * options.logits; ++i) {
    task.answer.push_back(random() % 3 == 0 ? 1.0f : 0.0f);
    task.weight.push_back(0.5f * static_cast<float>(random() % 3));
  }
  return task;
}

double LossOf(const std::vector<float>& logits, const Task& task) {
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double logit = logits[i];
    const double entropy = std::log1p(std::exp(-std::abs(logit))) + std::max(logit, 0.0);
    loss += task.weight[i] * (entropy - logit * static_cast<double>(task.answer[i]));
  }
  return loss;
}

TEST(Perceptron, DerivativesAgreeWithFiniteDifferences) {
  constexpr std::int64_t kRows = 48;
  constexpr float kScale = 0.25f;
  for (const auto& [columns, logits] : {std::pair(1, 1), std::pair(37, 5), std::pair(16, 33)}) {
    const PerceptronOptions options{.columns = columns, .logits = logits, .max_rows = 64};
    const Task task = MakeTask(options, kRows, 3);
    Perceptron perceptron(options, gpu::HostExec{});
    for (int i = 0; i < 10; ++i) {
      perceptron.ObserveScale(task.rows.data(), kRows);
      perceptron.Learn(task.rows.data(), task.lessons(), kScale, 1.0f);
    }
    std::vector<float> found(task.answer.size());
    const auto loss = [&] {
      perceptron.Logits(task.rows.data(), kRows, found.data());
      return kScale * LossOf(found, task);
    };
    perceptron.ComputeGradient(task.rows.data(), task.lessons(), kScale);
    const std::vector<float> gradient(perceptron.gradient().begin(), perceptron.gradient().end());
    const PerceptronLayout& layout = perceptron.layout();
    ExpectDerivative(perceptron.weights(), gradient,
                     {layout.first, layout.first_bias, layout.second, layout.second_bias,
                      layout.output, layout.output_bias, layout.count},
                     loss, 0.02);
  }
}

TEST(Perceptron, LearnsWhatNoSingleColumnSays) {
  // The sign of a product, and its opposite, from columns of very different scales.
  const PerceptronOptions options{.columns = 3, .logits = 2, .max_rows = 256};
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  Perceptron perceptron(options, gpu::HostExec{});
  const auto draw = [&] {
    Task task = MakeTask(options, 256, random());
    for (std::size_t row = 0; row < 256; ++row) {
      const float a = normal(random), b = normal(random);
      task.rows[row * 16] = 1e4f * a + 1e5f;
      task.rows[row * 16 + 1] = 1e-3f * b;
      task.answer[2 * row] = a * b > 0 ? 1.0f : 0.0f;
      task.answer[2 * row + 1] = 1.0f - task.answer[2 * row];
    }
    return task;
  };
  for (int step = 0; step < 400; ++step) {
    Task task = draw();
    std::fill(task.weight.begin(), task.weight.end(), 1.0f);
    perceptron.ObserveScale(task.rows.data(), 256);
    perceptron.Learn(task.rows.data(), task.lessons(), 1.0f / 256, 2.0f);
  }
  const Task task = draw();
  std::vector<float> logits(512);
  perceptron.Logits(task.rows.data(), 256, logits.data());
  int right = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    right += (logits[i] > 0) == (task.answer[i] > 0.5f) ? 1 : 0;
  EXPECT_GT(right, 512 * 9 / 10);
}

TEST(Perceptron, ColumnsThatAreLeftOutChangeNothing) {
  const PerceptronOptions options{.columns = 20, .logits = 3, .max_rows = 64};
  Task task = MakeTask(options, 50, 7);
  Perceptron perceptron(options, gpu::HostExec{});
  perceptron.LeaveOut(4, 9);
  for (int i = 0; i < 5; ++i) {
    perceptron.ObserveScale(task.rows.data(), 50);
    perceptron.Learn(task.rows.data(), task.lessons(), 0.1f, 1.0f);
  }
  std::vector<float> before(150), after(150);
  perceptron.Logits(task.rows.data(), 50, before.data());
  for (std::size_t row = 0; row < 50; ++row)
    for (std::size_t k = 4; k < 9; ++k) task.rows[row * 32 + k] += 100.0f;
  perceptron.Logits(task.rows.data(), 50, after.data());
  EXPECT_EQ(before, after);
  for (std::size_t row = 0; row < 50; ++row) task.rows[row * 32 + 9] += 1.0f;
  perceptron.Logits(task.rows.data(), 50, after.data());
  EXPECT_NE(before, after);
}

}  // namespace
}  // namespace weft::operators::learn
