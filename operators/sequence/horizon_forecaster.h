// HorizonForecaster: where a series will be one number of records from now: the mixture of experts
// of docs/sequence.md, and what it has learned of each of them at this horizon.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/expert_set.h"
#include "operators/sequence/forecast.h"
#include "operators/sequence/least_squares.h"
#include "operators/sequence/season_state.h"

namespace weft::operators::sequence {

// How values are scaled.
struct ValueScale {
  double origin = 0.0, unit = 0.0;

  // By their mean, and half again as large as their deviation. At least one value.
  static ValueScale Of(std::span<const double> values);
};

// Thread-compatible. Exact.
class HorizonForecaster {
 public:
  // `horizon` records ahead, without some ForecastExperts.
  explicit HorizonForecaster(std::int64_t horizon, ExpertSet without = {});

  // The next record has come: learns from what was said of it, if anything was.
  void Learn(double scaled_value);
  // Says where the series will be a horizon after this record, which `season` knows.
  void Say(const SeasonState& season, ValueScale scale, CalendarPlace target, double scaled_value);

  std::int64_t horizon() const { return horizon_; }
  // What was said last; unknown before anything was.
  const Forecast& latest() const { return pending_.empty() ? unknown_ : pending_.back().forecast; }
  std::size_t bytes() const;

  // State to save, and to load into one with the same horizon.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.bias_);
    RecursiveLeastSquares::VisitState(self.linear_, archive);
    archive.Value(self.linear_count_);
    for (auto& one : self.scales_) ForecastScale::VisitState(one, archive);
    ExpertWeights::VisitState(self.weights_, archive);
    ExpertWeights::VisitState(self.widths_, archive);
    std::uint64_t count = self.pending_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.horizon_), "forecasts of a horizon");
      if (!archive.ok()) return;
      self.pending_.resize(count);
    }
    for (auto& one : self.pending_) VisitPending(one, archive);
  }

 private:
  // What was said of a record that has not come yet.
  struct Pending {
    Forecast forecast;
    CalendarPlace target;
    std::array<double, ResidualFeatures::kColumns> features = {};
    std::array<double, kForecastExperts> raw = {};  // before the slot's bias; NaN: no opinion
  };

  template <class One, class Archive>
  static void VisitPending(One& one, Archive& archive) {
    archive.Value(one.target);
    archive.Value(one.features);
    archive.Value(one.raw);
    archive.Value(one.forecast.mean);
    archive.Value(one.forecast.weight);
    archive.Value(one.forecast.point);
    archive.Value(one.forecast.width_weight);
    archive.Value(one.forecast.origin);
    archive.Value(one.forecast.unit);
    archive.Array(one.forecast.histogram, SlotHistogram::kBuckets);
  }

  void LearnFrom(const Pending& pending, double value);
  void LearnWeights(const Pending& pending, double value);
  void Ask(const SeasonState& season, double value, Pending& pending) const;
  void Mix(const SeasonState& season, Pending& pending);
  double& BiasOf(std::size_t expert, CalendarPlace place);

  std::int64_t horizon_;
  ExpertSet without_;
  std::vector<double> bias_;  // [2 experts x weekend x day slots]
  RecursiveLeastSquares linear_;
  std::int64_t linear_count_ = 0;
  std::vector<ForecastScale> scales_;
  ExpertWeights weights_;
  ExpertWeights widths_;
  std::deque<Pending> pending_;  // the oldest first
  Forecast unknown_;
};

}  // namespace weft::operators::sequence
