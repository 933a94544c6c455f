// SeasonalDistance: how far a value is from those at the same part of the season, which is found by
// the data (SeasonFinder).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "operators/sequence/calendar.h"
#include "operators/sequence/season_finder.h"
#include "operators/sequence/series_bounds.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class SeasonalDistance {
 public:
  SeasonalDistance() : slots_(kDaySlots) {}

  // The next record has come: from here on its part of the season is meant.
  void Begin(graph::TimeUs time_us, double value);
  // Nothing before it was seen twice.
  std::optional<double> Of(double value, const SeriesBounds& bounds) const;
  void Learn(double value);
  // What was seen before counts little.
  void Forget() {
    for (Slot& slot : slots_) slot.count = std::min(slot.count, 2.0);
  }

  // At this part of the season; NaN before it was seen.
  double MeanAt(graph::TimeUs time_us) const;
  const SeasonFinder& finder() const { return finder_; }
  std::size_t bytes() const { return finder_.bytes() + slots_.capacity() * sizeof(Slot); }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    SeasonFinder::VisitState(self.finder_, archive);
    archive.Fixed(self.slots_);
  }

 private:
  struct Slot {
    double count = 0.0, mean = 0.0, deviation = 0.0;
  };
  std::size_t SlotOf(graph::TimeUs time_us) const {
    return static_cast<std::size_t>(PlaceOf(time_us, finder_.season()).day_slot());
  }

  SeasonFinder finder_;
  std::vector<Slot> slots_;
  std::size_t slot_ = 0;  // of the record at hand
};

}  // namespace weft::operators::sequence
