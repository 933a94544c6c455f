#include "operators/sequence/encoders.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weft::operators::sequence {
namespace {

template <class Encoder, class... Values>
SparseBits BitsOf(const Encoder& encoder, Values... values) {
  SparseBits bits;
  encoder.Encode(values..., bits);
  EXPECT_EQ(bits.size, encoder.size());
  return bits;
}

TEST(Encoders, ScalarsNextToEachOtherShareBits) {
  const ScalarEncoder encoder({.least = 0, .most = 100, .bits = 121, .active = 21});
  EXPECT_EQ(encoder.bucket_count(), 101);
  for (const double value : {0.0, 37.0, 100.0})
    for (int apart = 0; apart <= 25; ++apart)
      EXPECT_EQ(Overlap(BitsOf(encoder, value).bits,
                        BitsOf(encoder, value < 50 ? value + apart : value - apart).bits),
                std::max(0, 21 - apart));
  EXPECT_EQ(BitsOf(encoder, -5.0), BitsOf(encoder, 0.0));
  EXPECT_TRUE(BitsOf(encoder, std::nan("")).bits.empty());
  const ScalarEncoder day({.most = 24, .bits = 54, .active = 21, .periodic = true});
  EXPECT_GT(Overlap(BitsOf(day, 23.9).bits, BitsOf(day, 0.1).bits), 18);
  EXPECT_EQ(BitsOf(day, 24.0), BitsOf(day, 0.0));
}

TEST(Encoders, RandomScalarsHaveNoBounds) {
  const RandomScalarEncoder encoder({.resolution = 0.5});
  for (const double value : {-1e9, -3.25, 0.0, 17.0, 1e12}) {
    const SparseBits here = BitsOf(encoder, value);
    EXPECT_NEAR(static_cast<double>(here.bits.size()), 21.0, 3.0);
    EXPECT_GE(Overlap(here.bits, BitsOf(encoder, value + 0.5).bits), 17);
    EXPECT_LE(Overlap(here.bits, BitsOf(encoder, value + 50.0).bits), 6);
  }
}

TEST(Encoders, DatesHaveTheirParts) {
  const DateTimeEncoder encoder(
      {.day_active = 21, .week_active = 3, .weekend_active = 5, .year_active = 7});
  constexpr graph::TimeUs kHour = std::int64_t{3600} * 1'000'000, kDay = 24 * kHour;
  const graph::TimeUs thursday = 0;
  EXPECT_EQ(BitsOf(encoder, thursday).bits.size(), 36u);
  // The next day at the same time shares the time of day, the weekend and the year.
  EXPECT_EQ(Overlap(BitsOf(encoder, thursday).bits, BitsOf(encoder, thursday + kDay).bits), 33);
  // Two days later is a weekend.
  EXPECT_EQ(Overlap(BitsOf(encoder, thursday).bits, BitsOf(encoder, thursday + 2 * kDay).bits), 28);
  EXPECT_LT(Overlap(BitsOf(encoder, thursday).bits, BitsOf(encoder, thursday + 12 * kHour).bits),
            20);
}

TEST(Encoders, CategoriesHaveNothingInCommon) {
  const CategoryEncoder encoder({});
  const SparseBits one = BitsOf(encoder, std::string_view("login"));
  EXPECT_EQ(one.bits.size(), 41u);
  EXPECT_EQ(one, BitsOf(encoder, std::string_view("login")));
  EXPECT_LT(Overlap(one.bits, BitsOf(encoder, std::string_view("logon")).bits), 8);
}

TEST(Encoders, PlacesNearEachOtherShareBits) {
  const CoordinateEncoder encoder({});
  const std::int64_t here[] = {100, -40}, near[] = {101, -40}, far[] = {130, -40};
  const SparseBits bits = BitsOf(encoder, std::span<const std::int64_t>(here));
  EXPECT_GT(Overlap(bits.bits, BitsOf(encoder, std::span<const std::int64_t>(near)).bits), 12);
  EXPECT_LT(Overlap(bits.bits, BitsOf(encoder, std::span<const std::int64_t>(far)).bits), 5);
}

}  // namespace
}  // namespace weft::operators::sequence
