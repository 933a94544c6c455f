// SeasonalNeighbors: a forecast from the times of other days at which the series went as it goes
// now: nearest neighbours among the moments at the same time of day, or one record off.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "operators/sequence/alike_moment.h"
#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {

struct NeighborOptions {
  std::int64_t day = 48;          // records of a day, or of another season
  bool has_week = true;           // days differ by weekday
  std::int64_t days = 364;        // remembered
  std::int64_t most_horizon = 5;  // records ahead
  std::int64_t fewest_days = 10;  // before anything is said
};

// Thread-compatible. Exact.
class SeasonalNeighbors {
 public:
  static constexpr std::int64_t kCompared = 10;  // records, those before weigh less

  explicit SeasonalNeighbors(const NeighborOptions& options);

  // The value `horizon` records after the latest, which falls on `target_weekday`; none before
  // there are days enough.
  std::optional<double> Forecast(std::int64_t horizon, std::int32_t target_weekday) const;
  // The moments that went most like now, at most `most` of them, the most alike first.
  std::vector<AlikeMoment> Alike(std::size_t most) const;
  // The next record.
  void Add(double value);

  std::size_t bytes() const { return values_.capacity() * sizeof(float); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.values_, 2 * static_cast<std::uint64_t>(self.most_));
    archive.Value(self.count_);
  }

 private:
  // Calls `visit` with how many records ago, how many days and how many records off the time of day
  // each moment was, and its squared distance.
  template <class Visit>
  void VisitMoments(std::int64_t fewest_ago, Visit visit) const;
  std::array<float, 7> Penalties(std::int32_t target_weekday) const;

  NeighborOptions options_;
  std::int64_t most_;
  std::vector<float> values_;  // the latest, in order
  std::int64_t count_ = 0;
};

}  // namespace weft::operators::sequence
