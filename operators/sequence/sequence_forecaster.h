// SequenceForecaster: where a series of numbers will be some records from now, as a distribution: a
// mixture of experts that learn while records come. One pass, one set of constants for every
// series.
//
// Source: our own mix. Kernel neighbours of the same time of day, recursive least squares over
// residuals, means of the time of week, and a histogram of it; how it was found and what each part
// is worth: docs/sequence.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/horizon_forecaster.h"
#include "operators/sequence/season_finder.h"
#include "operators/sequence/season_state.h"

namespace weft::operators::sequence {

struct ForecasterSettings {
  std::vector<std::int64_t> horizons = {1};  // records ahead, rising
  graph::TimeUs step_us = 0;                 // between records; 0: found from the first ones
  ExpertSet without = {};                    // ForecastExperts, to see what they are worth
  bool finds_season = true;                  // false: Next is told of it
};

// Thread-compatible. Exact.
class SequenceForecaster {
 public:
  // Records from which the step and the unit of values are found.
  static constexpr std::int64_t kFirst = 96;

  explicit SequenceForecaster(const ForecasterSettings& settings);

  // Takes the next record in and says where the series will be. A value that is not a number is
  // missing: the one before stands in for it.
  void Next(graph::TimeUs time_us, double value);
  // The same with the season as one finds it who has taken the same records in, this one as well.
  void Next(graph::TimeUs time_us, double value, const SeasonFinder& finder);
  // Asks memory for what Next will look at.
  void Prefetch(graph::TimeUs time_us, Season season) const;
  // What was said last, by horizon in the order of the settings; unknown before kFirst records.
  std::span<const HorizonForecaster> horizons() const { return horizons_; }
  const Forecast& latest() const { return horizons_.front().latest(); }

  std::int64_t record_count() const { return count_; }
  // Between records; 0 before it is known.
  graph::TimeUs step_us() const { return step_us_; }
  // The moments of the past that went most like now; none where a season has too few or too many
  // records.
  std::vector<AlikeMoment> Alike(std::size_t most) const;
  std::size_t bytes() const;

  // State to save, and to load into one with the same settings.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Array(self.first_, kFirst);
    archive.Value(self.step_us_);
    archive.Value(self.scale_);
    archive.Value(self.last_);
    if (self.finder_) SeasonFinder::VisitState(*self.finder_, archive);
    archive.Value(self.taken_up_);
    if constexpr (Archive::kLoads) {
      self.season_.clear();
      if (archive.ok() && self.scale_.unit > 0.0) self.BeginSeason();
    }
    for (auto& one : self.season_) SeasonState::VisitState(one, archive);
    for (auto& one : self.horizons_) HorizonForecaster::VisitState(one, archive);
  }

 private:
  struct Record {
    graph::TimeUs time_us = 0;
    double value = 0.0;
  };

  void Begin();
  void BeginSeason();
  void BeginAnew(Season season);
  void Take(graph::TimeUs time_us, double value, const SeasonFinder& finder);

  std::int64_t count_ = 0;
  std::vector<Record> first_;  // until there are kFirst
  graph::TimeUs step_us_ = 0;
  ValueScale scale_;
  double last_ = 0.0;
  std::optional<SeasonFinder> finder_;
  Season taken_up_;  // as it was found first; how many records it has stays
  ExpertSet without_;
  std::vector<SeasonState> season_;  // one, once the step is known
  std::vector<HorizonForecaster> horizons_;
};

}  // namespace weft::operators::sequence
