// SeasonState: what the experts of a forecast know of a series, whatever the horizon: means and
// histograms of the time of the week, or of another season, the residuals, and the seasons that
// went before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/calendar.h"
#include "operators/sequence/residual_features.h"
#include "operators/sequence/seasonal_neighbors.h"
#include "operators/sequence/slot_histogram.h"

namespace weft::operators::sequence {

// Values are scaled: less their mean, over their unit. Thread-compatible. Exact.
class SeasonState {
 public:
  // `step_us` between records.
  SeasonState(graph::TimeUs step_us, std::int64_t most_horizon, Season season);

  void Add(CalendarPlace place, double value);

  // Of the time of the week.
  bool knows(CalendarPlace place) const { return Of(place).seen > 0.0; }
  double fast_mean(CalendarPlace place) const { return Of(place).fast; }
  double slow_mean(CalendarPlace place) const { return Of(place).slow; }
  std::vector<double> histogram(CalendarPlace place) const {
    return histogram_.At(place.week_slot);
  }
  // Asks memory for what is known of the time of the week.
  void Prefetch(CalendarPlace place) const {
    __builtin_prefetch(&Of(place));
    histogram_.Prefetch(place.week_slot);
  }
  const ResidualFeatures& residuals() const { return residuals_; }
  // Null where a season has fewer than 4 or more than 1,440 records.
  const SeasonalNeighbors* neighbors() const {
    return neighbors_.empty() ? nullptr : &neighbors_.front();
  }
  std::size_t bytes() const;

  // State to save, and to load into one made alike.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.slots_);
    ResidualFeatures::VisitState(self.residuals_, archive);
    for (auto& one : self.neighbors_) SeasonalNeighbors::VisitState(one, archive);
    SlotHistogram::VisitState(self.histogram_, archive);
  }

 private:
  struct Slot {
    double fast = 0.0, slow = 0.0, seen = 0.0;
  };
  const Slot& Of(CalendarPlace place) const {
    return slots_[static_cast<std::size_t>(place.week_slot)];
  }

  std::vector<Slot> slots_;  // of the week
  ResidualFeatures residuals_;
  std::vector<SeasonalNeighbors> neighbors_;  // one or none
  SlotHistogram histogram_;
};

}  // namespace weft::operators::sequence
