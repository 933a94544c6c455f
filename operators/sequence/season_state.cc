#include "operators/sequence/season_state.h"

#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {
namespace {

constexpr double kFastRate = 0.35, kSlowRate = 0.12;
constexpr std::int64_t kMostDayRecords = 1440, kUsualDayRecords = 48;

// Records of a day; 0 where days are no season.
std::int64_t DayRecords(graph::TimeUs step_us) {
  if (step_us <= 0 || step_us > kDayUs / 4) return 0;
  return kDayUs / step_us > kMostDayRecords ? 0 : kDayUs / step_us;
}

}  // namespace

SeasonState::SeasonState(graph::TimeUs step_us, std::int64_t most_horizon)
    : slots_(kWeekSlots),
      residuals_(DayRecords(step_us) == 0 ? kUsualDayRecords : DayRecords(step_us)) {
  if (const std::int64_t day = DayRecords(step_us); day > 0)
    neighbors_.emplace_back(NeighborOptions{.day = day, .most_horizon = most_horizon});
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
