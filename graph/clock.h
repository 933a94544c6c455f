// The two clocks: the machine's, and one that tests turn by hand.
#pragma once

#include <atomic>
#include <cstdint>

#include "graph/state.h"

namespace weft::graph {

inline constexpr double kNanosecondsPerSecond = 1e9;
inline constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

// The machine's monotonic and wall clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  std::int64_t NowNs() const override;
  TimeUs WallTimeUs() const override;
};

// Stands still until told to advance. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeUs wall_time_us = 0) : start_wall_us_(wall_time_us) {}

  std::int64_t NowNs() const override { return now_ns_.load(); }
  TimeUs WallTimeUs() const override { return start_wall_us_ + now_ns_.load() / 1000; }
  // `duration_us` >= 0.
  void AdvanceUs(std::int64_t duration_us) { now_ns_.fetch_add(duration_us * 1000); }

 private:
  const TimeUs start_wall_us_;
  std::atomic<std::int64_t> now_ns_ = 0;
};

}  // namespace weft::graph
