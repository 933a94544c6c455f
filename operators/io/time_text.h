// Event time as text: exact decimals to microseconds and back. Nothing here goes through a double.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "graph/time.h"

namespace weft::operators::io {

// What one unit of a number in a file's time column is.
enum class TimeUnit { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// "s", "ms", "us" or "ns"; nothing for any other text.
std::optional<TimeUnit> ParseTimeUnit(std::string_view text);
std::string_view TimeUnitName(TimeUnit unit);

// A time of an event, in microseconds. Accepts
//   a decimal number of `unit`s: sign, fraction and exponent allowed, rounded half away from zero
//   to whole microseconds ("1289241911.72836", "-3.5", "1.6e9"), and ISO-8601 (YYYY-MM-DD or
//   YYYY/MM/DD, then optionally T or a blank and hh:mm[:ss[.fraction]], then optionally Z or an
//   offset +hh[:mm]); without an offset the time is UTC; `unit` is not used.
// False, with `time_us` untouched, for any other text and for times outside int64 microseconds. The
// two extreme values (graph::kBeforeAllTime, graph::kAfterAllTime) stand for "no time" in the
// engine and are refused as well.
bool ParseTime(std::string_view text, TimeUnit unit, graph::TimeUs& time_us);

// ISO-8601 in UTC with microseconds, "2010-11-08T18:45:11.728360Z"; years outside 0..9999 carry a
// sign.
std::string FormatTime(graph::TimeUs time_us);

}  // namespace weft::operators::io
