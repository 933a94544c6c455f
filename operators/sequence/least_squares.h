// RecursiveLeastSquares: a linear model that forgets, learned one example after the other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// Thread-compatible. Exact: sums have a fixed order.
class RecursiveLeastSquares {
 public:
  // `memory`: how much of an example's weight is left with the next one.
  RecursiveLeastSquares(std::size_t columns, double memory);

  double Predict(std::span<const double> columns) const;
  void Learn(std::span<const double> columns, double target);

  std::size_t bytes() const { return (weight_.capacity() + inverse_.capacity()) * sizeof(double); }

  // State to save, and to load into one of as many columns.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.weight_);
    archive.Fixed(self.inverse_);
  }

 private:
  void Reset(double uncertainty);

  std::size_t columns_;
  double memory_;
  std::vector<double> weight_, inverse_, gain_;  // the inverse of the columns' covariance
};

}  // namespace weft::operators::sequence
