#include "operators/io/time_text.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace weft::operators::io {
namespace {

using graph::TimeUs;

constexpr std::int64_t kMicrosecondsPerDay = 86'400 * graph::kMicrosecondsPerSecond;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// How many decimal places lie between one unit and one microsecond.
int DecimalShift(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 6;
    case TimeUnit::kMilliseconds:
      return 3;
    case TimeUnit::kMicroseconds:
      return 0;
    case TimeUnit::kNanoseconds:
      return -3;
  }
  return 0;
}

// A decimal number as significand * 10^exponent. The significand holds at most 19 digits, which is
// as many as int64 microseconds have; of further ones only the first is needed, to round.
struct Decimal {
  static constexpr int kMaxDigits = 19;
  std::uint64_t significand = 0;
  int digit_count = 0;  // significant ones, those beyond kMaxDigits as well
  unsigned next_digit = 0;
  int exponent = 0;
  bool negative = false;
};

// Takes the digits that `text` begins with off it. Each moves the exponent by `step`.
void ReadSignificand(std::string_view& text, int step, Decimal& decimal) {
  std::size_t length = 0;
  for (; length < text.size() && IsDigit(text[length]); ++length) {
    const auto digit = static_cast<unsigned>(text[length] - '0');
    if (decimal.digit_count < Decimal::kMaxDigits) {
      decimal.significand = decimal.significand * 10 + digit;
      decimal.exponent += step;
      decimal.digit_count += decimal.significand != 0;
    } else {
      if (decimal.digit_count++ == Decimal::kMaxDigits) decimal.next_digit = digit;
      decimal.exponent += step + 1;
    }
  }
  text.remove_prefix(length);
}

bool ReadExponent(std::string_view text, int& exponent) {
  std::size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  if (at == text.size() || text.size() - at > 3) return false;
  int value = 0;
  for (; at < text.size(); ++at) {
    if (!IsDigit(text[at])) return false;
    value = value * 10 + (text[at] - '0');
  }
  exponent += negative ? -value : value;
  return true;
}

bool ReadDecimal(std::string_view text, Decimal& decimal) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    decimal.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::size_t size = text.size();
  ReadSignificand(text, 0, decimal);
  std::size_t digit_count = size - text.size();
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t fraction_size = text.size();
    ReadSignificand(text, -1, decimal);
    digit_count += fraction_size - text.size();
  }
  if (digit_count == 0) return false;
  if (text.empty()) return true;
  return (text.front() == 'e' || text.front() == 'E') &&
         ReadExponent(text.substr(1), decimal.exponent);
}

constexpr auto kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

// The decimal times 10^shift, rounded half away from zero.
bool ToInteger(const Decimal& decimal, int shift, TimeUs& value) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<TimeUs>::max());
  const int power = decimal.exponent + shift;
  std::uint64_t magnitude = decimal.significand;
  if (magnitude == 0) {
    // Zero, whatever the exponent.
  } else if (power >= 0) {
    if (power > 18 || magnitude > kMax / kPowersOfTen[static_cast<std::size_t>(power)])
      return false;
    magnitude *= kPowersOfTen[static_cast<std::size_t>(power)];
    magnitude += power == 0 && decimal.next_digit >= 5;
  } else if (power >= -19) {
    const std::uint64_t divisor = kPowersOfTen[static_cast<std::size_t>(-power)];
    const std::uint64_t rest = magnitude % divisor;
    magnitude = magnitude / divisor + (rest >= divisor - rest);
  } else {
    magnitude = 0;
  }
  if (magnitude >= kMax) return false;
  value = static_cast<TimeUs>(magnitude);
  if (decimal.negative) value = -value;
  return true;
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant, "chrono-compatible
// low-level date algorithms").
std::int64_t DaysFromDate(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

bool ReadDigits(std::string_view& text, int count, unsigned& value) {
  if (text.size() < static_cast<std::size_t>(count)) return false;
  value = 0;
  for (int i = 0; i < count; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (!IsDigit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(count));
  return true;
}

bool Skip(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

unsigned DaysInMonth(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool ReadClock(std::string_view& text, std::int64_t& time_us) {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  if (!ReadDigits(text, 2, hour) || !Skip(text, ':') || !ReadDigits(text, 2, minute)) return false;
  TimeUs fraction_us = 0;
  if (Skip(text, ':')) {
    if (!ReadDigits(text, 2, second)) return false;
    std::size_t length = 0;
    if (!text.empty() && text.front() == '.') {
      length = 1;
      while (length < text.size() && IsDigit(text[length])) ++length;
      Decimal fraction;
      if (length == 1 || !ReadDecimal(text.substr(0, length), fraction)) return false;
      if (!ToInteger(fraction, 6, fraction_us)) return false;
    }
    text.remove_prefix(length);
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  time_us += (std::int64_t{hour} * 3600 + minute * 60 + second) * graph::kMicrosecondsPerSecond;
  time_us += fraction_us;
  return true;
}

bool ReadOffset(std::string_view& text, std::int64_t& time_us) {
  if (text.empty() || Skip(text, 'Z') || Skip(text, 'z')) return true;
  const bool negative = text.front() == '-';
  if (!negative && text.front() != '+') return false;
  text.remove_prefix(1);
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!ReadDigits(text, 2, hours)) return false;
  if (!text.empty()) {
    Skip(text, ':');
    if (!ReadDigits(text, 2, minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  const std::int64_t offset_us =
      (std::int64_t{hours} * 3600 + minutes * 60) * graph::kMicrosecondsPerSecond;
  time_us -= negative ? -offset_us : offset_us;
  return true;
}

bool ParseIso(std::string_view text, TimeUs& time_us) {
  const char separator = text[4];
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!ReadDigits(text, 4, year) || !Skip(text, separator) || !ReadDigits(text, 2, month) ||
      !Skip(text, separator) || !ReadDigits(text, 2, day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  std::int64_t value = DaysFromDate(year, month, day) * kMicrosecondsPerDay;
  if (!text.empty()) {
    if (!Skip(text, 'T') && !Skip(text, 't') && !Skip(text, ' ')) return false;
    if (!ReadClock(text, value) || !ReadOffset(text, value) || !text.empty()) return false;
  }
  time_us = value;
  return true;
}

}  // namespace

std::optional<TimeUnit> ParseTimeUnit(std::string_view text) {
  for (const TimeUnit unit : {TimeUnit::kSeconds, TimeUnit::kMilliseconds, TimeUnit::kMicroseconds,
                              TimeUnit::kNanoseconds}) {
    if (text == TimeUnitName(unit)) return unit;
  }
  return std::nullopt;
}

std::string_view TimeUnitName(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "s";
    case TimeUnit::kMilliseconds:
      return "ms";
    case TimeUnit::kMicroseconds:
      return "us";
    case TimeUnit::kNanoseconds:
      return "ns";
  }
  return "";
}

bool ParseTime(std::string_view text, TimeUnit unit, TimeUs& time_us) {
  if (text.size() >= 10 && (text[4] == '-' || text[4] == '/') && IsDigit(text[0])) {
    return ParseIso(text, time_us);
  }
  Decimal decimal;
  return ReadDecimal(text, decimal) && ToInteger(decimal, DecimalShift(unit), time_us);
}

std::string FormatTime(TimeUs time_us) {
  std::int64_t days = time_us / kMicrosecondsPerDay;
  std::int64_t rest = time_us % kMicrosecondsPerDay;
  if (rest < 0) {
    rest += kMicrosecondsPerDay;
    --days;
  }
  // The inverse of DaysFromDate, from the same source.
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2);
  const std::int64_t seconds = rest / graph::kMicrosecondsPerSecond;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), year < 0 || year > 9999 ? "%+05lld" : "%04lld",
                static_cast<long long>(year));
  std::string result = text.data();
  std::snprintf(text.data(), text.size(), "-%02d-%02dT%02d:%02d:%02d.%06dZ",
                static_cast<int>(month), static_cast<int>(day), static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                static_cast<int>(rest % graph::kMicrosecondsPerSecond));
  return result + text.data();
}

}  // namespace weft::operators::io
