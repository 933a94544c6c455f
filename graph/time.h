// Event time: int64 microseconds since 1970-01-01 UTC, or since whatever zero the feed uses.
// Processing time is never a TimeUs; it is read only through Clock (graph/state.h).
#pragma once

#include <cstdint>
#include <limits>

namespace weft::graph {

using TimeUs = std::int64_t;

// Earlier than every event: the watermark of a feed on which nothing has come yet.
inline constexpr TimeUs kBeforeAllTime = std::numeric_limits<TimeUs>::min();
// Later than every event: the watermark of a closed stream.
inline constexpr TimeUs kAfterAllTime = std::numeric_limits<TimeUs>::max();

inline constexpr TimeUs kMicrosecondsPerSecond = 1'000'000;

// A duration in seconds.
constexpr double Seconds(TimeUs duration_us) {
  return static_cast<double>(duration_us) / static_cast<double>(kMicrosecondsPerSecond);
}

}  // namespace weft::graph
