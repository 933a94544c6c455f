// SequenceForecaster: where a series of numbers will be some records from now, as a distribution: a
// mixture of experts that learn while records come. One pass, one set of constants for every
// series.
//
// Source: our own mix. Kernel neighbours of the same time of day, recursive least squares over
// residuals, means of the time of week, and a histogram of it; how it was found and what each part
// is worth: docs/sequence.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/forecast_mixture.h"
#include "operators/sequence/least_squares.h"
#include "operators/sequence/residual_features.h"
#include "operators/sequence/seasonal_neighbors.h"
#include "operators/sequence/slot_histogram.h"

namespace weft::operators::sequence {

enum ForecastExpert : std::size_t {
  kSlotFast,     // mean of the time of week, fading fast
  kSlotSlow,     // fading slowly
  kLinear,       // recursive least squares over residuals
  kNeighbors,    // days that went alike
  kHistogram,    // what came at the time of week
  kPersistence,  // stays as it is
  kForecastExperts,
};
std::string_view NameOf(ForecastExpert expert);

// Of the value a horizon ahead. A mixture; quantiles and probabilities come from it.
class Forecast {
 public:
  double mean = 0.0;
  std::array<double, kForecastExperts> weight = {};  // 0: has no opinion yet
  std::array<PointForecast, kForecastExperts> point = {};
  std::vector<double> histogram;  // of kHistogram, in SlotHistogram's buckets
  // How narrow the mixture is taken to be: experts that agree know more together than each alone.
  static constexpr std::array<double, 4> kWidths = {0.5, 0.7, 1.0, 1.5};
  std::array<double, kWidths.size()> width_weight = {0.0, 0.0, 1.0, 0.0};

  // Probability of less than x.
  double Below(double x) const;
  // The x below which it will be with this probability.
  double Quantile(double probability) const;
  bool is_known() const { return unit > 0.0; }

  // The expert's own, at a width.
  double Below(ForecastExpert expert, double x, double width = 1.0) const;
  // The mixture's at one width.
  double BelowAt(double width, double x) const;

  double origin = 0.0, unit = 0.0;  // points and buckets are (x - origin) / unit
};

struct ForecasterSettings {
  std::int64_t horizon = 1;   // records ahead
  graph::TimeUs step_us = 0;  // between records; 0: found from the first ones
};

// Thread-compatible. Exact.
class SequenceForecaster {
 public:
  // Records from which the step and the unit of values are found.
  static constexpr std::int64_t kFirst = 96;

  explicit SequenceForecaster(const ForecasterSettings& settings);

  // Takes the next record in and says where the series will be a horizon later. A value that is not
  // a number is missing: what was expected stands in for it. Unknown before kFirst records.
  Forecast Next(graph::TimeUs time_us, double value);

  std::int64_t record_count() const { return count_; }
  std::size_t bytes() const;

  // State to save, and to load into one with the same settings.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Array(self.first_, kFirst);
    archive.Value(self.settings_.step_us);
    archive.Value(self.origin_);
    archive.Value(self.unit_);
    archive.Value(self.last_);
    archive.Fixed(self.fast_);
    archive.Fixed(self.slow_);
    archive.Fixed(self.seen_);
    archive.Fixed(self.bias_);
    if constexpr (Archive::kLoads) {
      self.residuals_.clear();
      self.neighbors_.clear();
      if (archive.ok() && self.unit_ > 0.0) self.BeginSeason();
    }
    for (auto& one : self.residuals_) ResidualFeatures::VisitState(one, archive);
    for (auto& one : self.neighbors_) SeasonalNeighbors::VisitState(one, archive);
    RecursiveLeastSquares::VisitState(self.linear_, archive);
    archive.Value(self.linear_count_);
    SlotHistogram::VisitState(self.histogram_, archive);
    for (auto& one : self.scales_) ForecastScale::VisitState(one, archive);
    ExpertWeights::VisitState(self.weights_, archive);
    ExpertWeights::VisitState(self.widths_, archive);
    VisitPending(self, archive);
  }

 private:
  // What was said of a record that has not come yet.
  struct Pending {
    Forecast forecast;
    CalendarPlace target;
    std::array<double, ResidualFeatures::kColumns> features = {};
    std::array<double, kForecastExperts> raw = {};  // before the slot's bias
  };
  struct Record {
    graph::TimeUs time_us = 0;
    double value = 0.0;
  };

  static constexpr std::uint64_t kMostHorizon = 1 << 20;

  template <class Self, class Archive>
  static void VisitPending(Self& self, Archive& archive) {
    std::uint64_t count = self.pending_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= kMostHorizon, "forecasts of a horizon");
      if (!archive.ok()) return;
      self.pending_.resize(count);
    }
    for (auto& one : self.pending_) {
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
  }

  void Begin();
  // What depends on the step between records.
  void BeginSeason();
  Forecast Take(graph::TimeUs time_us, double value);
  void LearnFrom(const Pending& pending, double value);
  void UpdateSlots(CalendarPlace place, double value);
  Forecast Make(graph::TimeUs time_us, double value);
  double& BiasOf(std::size_t expert, CalendarPlace place);

  ForecasterSettings settings_;
  std::int64_t count_ = 0;
  std::vector<Record> first_;  // until there are kFirst
  double origin_ = 0.0, unit_ = 0.0;
  double last_ = 0.0;
  std::vector<double> fast_, slow_, seen_;  // of each slot of the week
  std::vector<double> bias_;                // [2 experts x weekend x day slots]
  std::vector<ResidualFeatures> residuals_;
  std::vector<SeasonalNeighbors> neighbors_;
  RecursiveLeastSquares linear_;
  std::int64_t linear_count_ = 0;
  SlotHistogram histogram_;
  std::vector<ForecastScale> scales_;
  ExpertWeights weights_;
  ExpertWeights widths_;
  std::deque<Pending> pending_;
};

}  // namespace weft::operators::sequence
