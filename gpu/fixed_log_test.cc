#include "gpu/fixed_log.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace weft::gpu {
namespace {

TEST(FixedLog, StaysWithinTheDocumentedUnits) {
  long double lowest = 0.0L, highest = 0.0L;
  const auto look = [&](std::uint64_t n) {
    const long double exact = std::ldexp(std::log(static_cast<long double>(n)), kFixedLogBits);
    const long double error = static_cast<long double>(FixedLog(n)) - exact;
    lowest = std::min(lowest, error);
    highest = std::max(highest, error);
  };
  for (std::uint64_t n = 1; n < 200'000; ++n) look(n);
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) look(std::max<std::uint64_t>(1, random() >> (random() % 64)));
  look(~std::uint64_t{0});
  EXPECT_GE(lowest, -2.0L);
  EXPECT_LE(highest, 0.0L);
}

TEST(FixedLog, NeverFalls) {
  EXPECT_EQ(FixedLog(0), 0);
  EXPECT_EQ(FixedLog(1), 0);
  for (std::uint64_t n = 1; n < 100'000; ++n) EXPECT_LE(FixedLog(n), FixedLog(n + 1)) << n;
  for (int bit = 1; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    EXPECT_LE(FixedLog(power - 1), FixedLog(power)) << bit;
  }
}

}  // namespace
}  // namespace weft::gpu
