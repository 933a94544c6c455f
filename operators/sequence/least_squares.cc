#include "operators/sequence/least_squares.h"

#include <algorithm>

namespace weft::operators::sequence {

RecursiveLeastSquares::RecursiveLeastSquares(std::size_t columns, double memory)
    : columns_(columns),
      memory_(memory),
      weight_(columns),
      inverse_(columns * columns),
      gain_(columns) {
  constexpr double kFirst = 100.0;
  Reset(kFirst);
}

void RecursiveLeastSquares::Reset(double uncertainty) {
  std::ranges::fill(inverse_, 0.0);
  for (std::size_t i = 0; i < columns_; ++i) inverse_[i * columns_ + i] = uncertainty;
}

double RecursiveLeastSquares::Predict(std::span<const double> columns) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < columns_; ++i) sum += weight_[i] * columns[i];
  return sum;
}

void RecursiveLeastSquares::Learn(std::span<const double> columns, double target) {
  constexpr double kMostTrace = 1e5, kAfterwards = 10.0;
  // The inverse is its own transpose: row by row, all sums at once.
  std::ranges::fill(gain_, 0.0);
  double* const gain = gain_.data();
  for (std::size_t j = 0; j < columns_; ++j) {
    const double* const row = inverse_.data() + j * columns_;
    for (std::size_t i = 0; i < columns_; ++i) gain[i] += row[i] * columns[j];
  }
  double spread = memory_;
  for (std::size_t i = 0; i < columns_; ++i) spread += columns[i] * gain[i];
  const double error = target - Predict(columns);
  for (std::size_t i = 0; i < columns_; ++i) weight_[i] += gain_[i] / spread * error;
  double trace = 0.0;
  const double part = 1.0 / spread, grown = 1.0 / memory_;
  for (std::size_t i = 0; i < columns_; ++i) {
    double* const row = inverse_.data() + i * columns_;
    // In this order both halves stay the same.
    for (std::size_t j = 0; j < columns_; ++j) row[j] = (row[j] - gain[i] * gain[j] * part) * grown;
    trace += row[i];
  }
  if (!(trace <= kMostTrace)) Reset(kAfterwards);
}

}  // namespace weft::operators::sequence
