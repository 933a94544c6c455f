// ExpertMixture: points that several experts say a series will come to as one distribution: how far
// off each usually is makes a distribution of its point, and how well those did says how much each
// counts (fixed share).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/forecast_mixture.h"
#include "operators/sequence/horizon_forecaster.h"
#include "operators/sequence/step_forecast.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class ExpertMixture {
 public:
  // Records from which the unit of values is found.
  static constexpr std::size_t kFirst = 96;

  // Of points `horizon` records ahead.
  ExpertMixture(std::size_t experts, std::int64_t horizon);

  // The next record, and where each expert says the series will be a horizon later; NaN: nowhere.
  // Unknown until the unit is, and an expert has been seen to hit or miss.
  StepForecast Next(graph::TimeUs time_us, double value, std::span<const double> points);

  // State to save, and to load into one made alike.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.first_, kFirst);
    archive.Value(self.scale_);
    for (auto& one : self.scales_) ForecastScale::VisitState(one, archive);
    ExpertWeights::VisitState(self.weights_, archive);
    std::uint64_t count = self.pending_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.horizon_), "forecasts of a horizon");
      if (!archive.ok()) return;
      self.pending_.assign(count, {0, std::vector<double>(self.scales_.size())});
    }
    for (auto& one : self.pending_) {
      archive.Value(one.day_slot);
      archive.Fixed(one.points);
    }
  }

 private:
  // What was said of a record that has not come yet; scaled.
  struct Pending {
    std::int32_t day_slot = 0;
    std::vector<double> points;
  };

  void Learn(const Pending& pending, double value);
  StepForecast Mix(const Pending& pending) const;

  std::int64_t horizon_;
  std::vector<double> first_;
  ValueScale scale_;
  std::vector<ForecastScale> scales_;  // by expert
  ExpertWeights weights_;
  std::deque<Pending> pending_;  // the oldest first
};

}  // namespace weft::operators::sequence
