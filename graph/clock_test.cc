#include "graph/clock.h"

#include <gtest/gtest.h>

namespace weft::graph {
namespace {

TEST(Clock, SystemClockRises) {
  const SystemClock clock;
  const std::int64_t first = clock.NowNs();
  EXPECT_LE(first, clock.NowNs());
  constexpr TimeUs kYear2020 = 1'577'836'800'000'000;
  EXPECT_GT(clock.WallTimeUs(), kYear2020);
}

TEST(Clock, ManualClockMovesWhenTold) {
  ManualClock clock(5'000);
  EXPECT_EQ(clock.NowNs(), 0);
  clock.AdvanceUs(7);
  EXPECT_EQ(clock.NowNs(), 7'000);
  EXPECT_EQ(clock.WallTimeUs(), 5'007);
}

}  // namespace
}  // namespace weft::graph
