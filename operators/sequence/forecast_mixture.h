// ForecastMixture: several experts' forecasts of one number as one distribution. Each expert gives
// a point, how far off it usually is makes a distribution of it, and how well the distributions did
// says how much each counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {

// How far off an expert is, by time of day.
class ForecastScale {
 public:
  ForecastScale() : by_slot_(kDaySlots) {}

  // Of a forecast for this time of day.
  double At(std::int32_t day_slot) const;
  void Learn(std::int32_t day_slot, double error);
  bool knows_any() const { return all_ > 0.0; }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.by_slot_);
    archive.Value(self.all_);
  }

 private:
  std::vector<double> by_slot_;
  double all_ = 0.0;
};

// A point with heavy tails: 85 in 100 of a logistic distribution, 15 of one three times as wide.
struct PointForecast {
  double point = 0.0, scale = 1.0;
  struct Place {
    double below = 0.0, density = 0.0;
  };
  // Probability of less than x.
  double Below(double x) const;
};

// Several of them at one x.
class PointForecasts {
 public:
  static constexpr std::size_t kMost = 24;

  // At most kMost.
  void Add(const PointForecast& one) { all_[count_++] = one; }
  // Probability of less than x by each, and the density there.
  std::array<PointForecast::Place, kMost> At(double x) const;

 private:
  std::array<PointForecast, kMost> all_ = {};
  std::size_t count_ = 0;
};

// Weights that follow who did well: each forecast multiplies them by the square root of the
// probability that the expert gave to what came, and a hundredth is shared anew (fixed share;
// Herbster and Warmuth 1998). One copy for all times and one for each three hours of the day.
class ExpertWeights {
 public:
  static constexpr std::size_t kBlocks = 8;

  explicit ExpertWeights(std::size_t experts);

  std::vector<double> At(std::int32_t day_slot) const;
  // `probability` of what came, by expert.
  void Learn(std::int32_t day_slot, std::span<const double> probability);

  // State to save, and to load into weights of as many experts.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.all_);
    archive.Fixed(self.by_block_);
  }

 private:
  std::size_t experts_;
  std::vector<double> all_, by_block_;
};

}  // namespace weft::operators::sequence
