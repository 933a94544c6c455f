#include "operators/io/time_text.h"

#include <gtest/gtest.h>

namespace weft::operators::io {
namespace {

std::optional<graph::TimeUs> Parse(std::string_view text, TimeUnit unit = TimeUnit::kSeconds) {
  graph::TimeUs time_us = 0;
  return ParseTime(text, unit, time_us) ? std::optional(time_us) : std::nullopt;
}

TEST(TimeText, DecimalsAreExact) {
  EXPECT_EQ(Parse("0"), 0);
  EXPECT_EQ(Parse("1289241911.72836"), 1289241911728360);
  EXPECT_EQ(Parse("-3.5"), -3500000);
  EXPECT_EQ(Parse("+2."), 2000000);
  EXPECT_EQ(Parse(".25"), 250000);
  EXPECT_EQ(Parse("1.6e9"), 1600000000000000);
  EXPECT_EQ(Parse("16E-1"), 1600000);
  EXPECT_EQ(Parse("0.0000005"), 1);
  EXPECT_EQ(Parse("0.00000049999999999999999"), 0);
  EXPECT_EQ(Parse("-0.0000005"), -1);
  EXPECT_EQ(Parse("9007199254.740993"), 9007199254740993);  // no double holds it
  EXPECT_EQ(Parse("000000000000000000000000000000000000000000000012"), 12000000);
}

TEST(TimeText, LongNumbers) {
  EXPECT_EQ(Parse("9223372036854775806.49999999999999999999999999999", TimeUnit::kMicroseconds),
            9223372036854775806);
  EXPECT_EQ(Parse("922337203685477580.55", TimeUnit::kMicroseconds), 922337203685477581);
  EXPECT_EQ(Parse("1234567890123456789.4999", TimeUnit::kMicroseconds), 1234567890123456789);
  EXPECT_EQ(Parse("1234567890123456789.5", TimeUnit::kMicroseconds), 1234567890123456790);
  EXPECT_EQ(Parse("12345678901234567890", TimeUnit::kMicroseconds), std::nullopt);
  EXPECT_EQ(Parse("12345678901234567890123e-6", TimeUnit::kMicroseconds), 12345678901234568);
  EXPECT_EQ(Parse("0.1" + std::string(60, '0')), 100000);
  EXPECT_EQ(Parse("0." + std::string(60, '0') + "1"), 0);
  EXPECT_EQ(Parse("0e999"), 0);
  EXPECT_EQ(Parse("0.5e-18", TimeUnit::kMicroseconds), 0);
  EXPECT_EQ(Parse("5000000000000000000e-19", TimeUnit::kMicroseconds), 1);
  EXPECT_EQ(Parse("4999999999999999999e-19", TimeUnit::kMicroseconds), 0);
  EXPECT_EQ(Parse("9999999999999999999e-20", TimeUnit::kMicroseconds), 0);
  EXPECT_EQ(Parse("1" + std::string(30, '0') + "e-30", TimeUnit::kMicroseconds), 1);
}

TEST(TimeText, Units) {
  EXPECT_EQ(Parse("1.5", TimeUnit::kMilliseconds), 1500);
  EXPECT_EQ(Parse("-7", TimeUnit::kMicroseconds), -7);
  EXPECT_EQ(Parse("1500", TimeUnit::kNanoseconds), 2);
  EXPECT_EQ(Parse("1499", TimeUnit::kNanoseconds), 1);
  EXPECT_EQ(Parse("9223372036854775806", TimeUnit::kMicroseconds), 9223372036854775806);
  EXPECT_EQ(ParseTimeUnit("ms"), TimeUnit::kMilliseconds);
  EXPECT_EQ(ParseTimeUnit("minutes"), std::nullopt);
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* text : {"", "-", ".", "abc", "1.2.3", "1e", "1e9999", "e5", "12x", " 1", "nan",
                           "inf", "9223372036854775807", "99999999999999999999", "0x10"}) {
    EXPECT_EQ(Parse(text, TimeUnit::kMicroseconds), std::nullopt) << text;
  }
}

TEST(TimeText, Iso8601) {
  EXPECT_EQ(Parse("1970-01-01"), 0);
  EXPECT_EQ(Parse("2001/01/01 00:47"), 978310020000000);
  EXPECT_EQ(Parse("2010-11-08T18:45:11.72836Z"), 1289241911728360);
  EXPECT_EQ(Parse("2010-11-08T20:45:11.72836+02:00"), 1289241911728360);
  EXPECT_EQ(Parse("2010-11-08T13:15:11.72836-0530"), 1289241911728360);
  EXPECT_EQ(Parse("1969-12-31T23:59:59.999999"), -1);
  EXPECT_EQ(Parse("2000-02-29"), 951782400000000);
  for (const char* text : {"2001-02-29", "2001-13-01", "2001-01-00", "2001-01-01T24:00",
                           "2001-01-01T00:00:61", "2001-01-01T00", "2001-01-01x", "2001-01/01",
                           "2001-01-01T00:00+", "2001-01-01T00:00:00."}) {
    EXPECT_EQ(Parse(text), std::nullopt) << text;
  }
}

TEST(TimeText, FormatIsTheInverse) {
  EXPECT_EQ(FormatTime(1289241911728360), "2010-11-08T18:45:11.728360Z");
  EXPECT_EQ(FormatTime(-1), "1969-12-31T23:59:59.999999Z");
  for (std::int64_t day = -800'000; day < 2'900'000; day += 997) {
    const graph::TimeUs time_us = day * 86'400'000'000 + 12'345'678;
    const std::string text = FormatTime(time_us);
    if (text.size() == 27) {
      EXPECT_EQ(Parse(text), time_us) << text;
    }
  }
}

}  // namespace
}  // namespace weft::operators::io
