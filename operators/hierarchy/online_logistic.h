// OnlineLogistic: a logistic regression that learns one example after the other, for heads of a few
// columns. Columns are standardised by what came so far. Exact on every machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "gpu/elementary.h"

namespace weft::operators::hierarchy {

class OnlineLogistic {
 public:
  explicit OnlineLogistic(std::size_t columns)
      : weight_(columns), gradient_(columns), mean_(columns), square_(columns) {}

  double Probability(std::span<const float> columns) const {
    double logit = bias_;
    for (std::size_t i = 0; i < columns.size(); ++i) logit += weight_[i] * Standard(i, columns[i]);
    return static_cast<double>(gpu::Sigmoid(static_cast<float>(logit)));
  }

  // One step of AdaGrad (Duchi, Hazan, Singer 2011).
  void Learn(std::span<const float> columns, bool came) {
    const double error = Probability(columns) - (came ? 1.0 : 0.0);
    Step(error, bias_, bias_gradient_);
    for (std::size_t i = 0; i < columns.size(); ++i)
      Step(error * Standard(i, columns[i]), weight_[i], gradient_[i]);
    ++count_;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto value = static_cast<double>(columns[i]);
      const double before = value - mean_[i];
      mean_[i] += before / count_;
      square_[i] += before * (value - mean_[i]);
    }
  }

  // State to save, and to load into one of as many columns.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.bias_);
    archive.Value(self.bias_gradient_);
    archive.Value(self.count_);
    archive.Fixed(self.weight_);
    archive.Fixed(self.gradient_);
    archive.Fixed(self.mean_);
    archive.Fixed(self.square_);
  }

 private:
  static void Step(double gradient, double& weight, double& sum) {
    constexpr double kRate = 0.1;
    sum += gradient * gradient;
    weight -= kRate * gradient / std::sqrt(sum + 1e-8);
  }
  double Standard(std::size_t i, float column) const {
    constexpr double kMost = 5.0;
    if (count_ < 2.0) return 0.0;
    const double deviation = std::sqrt(square_[i] / count_);
    const auto value = static_cast<double>(column);
    return deviation > 0.0 ? std::clamp((value - mean_[i]) / deviation, -kMost, kMost) : 0.0;
  }

  double bias_ = 0.0, bias_gradient_ = 0.0;
  double count_ = 0.0;
  std::vector<double> weight_, gradient_, mean_, square_;
};

}  // namespace weft::operators::hierarchy
