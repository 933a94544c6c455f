#include "operators/sequence/season_state.h"

#include <algorithm>

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {
namespace {

constexpr double kFastRate = 0.35, kSlowRate = 0.12;
constexpr std::int64_t kFewestRecords = 4, kMostRecords = 1440, kUsualRecords = 48;

// Records of a season; 0 where there are too few or too many.
std::int64_t RecordsOf(Season season, graph::TimeUs step_us) {
  if (step_us <= 0) return 0;
  const std::int64_t records = (season.period_us + step_us / 2) / step_us;
  return records < kFewestRecords || records > kMostRecords ? 0 : records;
}

}  // namespace

SeasonState::SeasonState(graph::TimeUs step_us, std::int64_t most_horizon, Season season)
    : slots_(kWeekSlots),
      residuals_(RecordsOf(season, step_us) == 0 ? kUsualRecords : RecordsOf(season, step_us)) {
  constexpr std::int64_t kRemembered = 364;
  const std::int64_t records = RecordsOf(season, step_us);
  if (records == 0) return;
  NeighborOptions options{.day = records, .most_horizon = most_horizon};
  if (!season.is_day()) {
    options.days = std::min(kRemembered, kRemembered * kUsualRecords / records);
    options.has_week = false;
  }
  neighbors_.emplace_back(options);
}

void SeasonState::Add(CalendarPlace place, double value) {
  Slot& slot = slots_[static_cast<std::size_t>(place.week_slot)];
  residuals_.Add(value - slot.slow);
  const bool first = slot.seen == 0.0;
  slot.fast = first ? value : slot.fast + kFastRate * (value - slot.fast);
  slot.slow = first ? value : slot.slow + kSlowRate * (value - slot.slow);
  slot.seen += 1.0;
  histogram_.Add(place.week_slot, value);
  if (!neighbors_.empty()) neighbors_.front().Add(value);
}

std::size_t SeasonState::bytes() const {
  std::size_t bytes = slots_.size() * sizeof(Slot) + residuals_.bytes() + histogram_.bytes();
  for (const SeasonalNeighbors& one : neighbors_) bytes += one.bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
