// ResidualFeatures: what a linear model reads of a series to tell how it will go on: how far the
// latest values, and those a day and a week before, were from what is usual at their time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class ResidualFeatures {
 public:
  static constexpr std::size_t kColumns = 30;

  // `day`: records of a day.
  explicit ResidualFeatures(std::int64_t day);

  // Of the record that comes `horizon` after the latest; `usual` and `usual_lately` are the slow
  // and the fast mean at its time.
  std::array<double, kColumns> At(CalendarPlace target, std::int64_t horizon, double usual,
                                  double usual_lately) const;
  // The next record was so far from the slow mean at its time.
  void Add(double residual);

  std::size_t bytes() const { return residuals_.capacity() * sizeof(double); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.residuals_);
    archive.Value(self.count_);
    archive.Value(self.day_sum_);
  }

 private:
  // That of the record `back` before the latest; 0 before the first.
  double Back(std::int64_t back) const;

  std::int64_t day_;
  std::vector<double> residuals_;  // a ring
  std::int64_t count_ = 0;
  double day_sum_ = 0.0;  // of the latest day
};

}  // namespace weft::operators::sequence
