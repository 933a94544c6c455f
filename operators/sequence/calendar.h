// Calendar: where in the day and the week a record lies, by its time. Monday begins the week; the
// time is taken as it comes, without time zones.
#pragma once

#include <array>
#include <cstdint>

#include "graph/time.h"

namespace weft::operators::sequence {

inline constexpr std::int64_t kDaySlots = 48;  // half hours
inline constexpr std::int64_t kWeekSlots = 7 * kDaySlots;
inline constexpr graph::TimeUs kDayUs = std::int64_t{24} * 3600 * 1'000'000;
inline constexpr graph::TimeUs kSlotUs = std::int64_t{30} * 60 * 1'000'000;

struct CalendarPlace {
  std::int32_t week_slot = 0;
  std::int32_t day_slot() const { return week_slot % static_cast<std::int32_t>(kDaySlots); }
  std::int32_t weekday() const { return week_slot / static_cast<std::int32_t>(kDaySlots); }
  bool is_weekend() const { return weekday() >= 5; }
};

inline CalendarPlace PlaceOf(graph::TimeUs time_us) {
  // The first of January 1970 was a Thursday.
  const std::int64_t slots =
      time_us >= 0 ? time_us / kSlotUs : -((kSlotUs - 1 - time_us) / kSlotUs);
  const std::int64_t of_week = (slots + 3 * kDaySlots) % kWeekSlots;
  return {static_cast<std::int32_t>(of_week < 0 ? of_week + kWeekSlots : of_week)};
}

// After what time a series repeats itself.
struct Season {
  graph::TimeUs period_us = kDayUs;
  graph::TimeUs begin_us = 0;  // when one of them began; of a season that is no day
  bool is_day() const { return period_us == kDayUs; }
};

// Slots of a season that is no day are its 48 parts, and all its weekdays are the first.
inline CalendarPlace PlaceOf(graph::TimeUs time_us, Season season) {
  if (season.is_day()) return PlaceOf(time_us);
  const std::int64_t within =
      ((time_us - season.begin_us) % season.period_us + season.period_us) % season.period_us;
  return {static_cast<std::int32_t>(within * kDaySlots / season.period_us)};
}

// Sine and cosine of once and twice the time of day, the same bits on every machine.
struct DayWaves {
  double sine = 0.0, cosine = 1.0, sine2 = 0.0, cosine2 = 1.0;
};
DayWaves WavesOf(std::int32_t day_slot);

}  // namespace weft::operators::sequence
