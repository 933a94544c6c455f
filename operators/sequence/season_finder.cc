#include "operators/sequence/season_finder.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

// What is remembered fades by 1/e in so many records.
constexpr double kMemory = 4000.0;
constexpr float kKept = 1.0f - 1.0f / static_cast<float>(kMemory);
// Periods that differ by less are the same.
constexpr double kSame = 0.02;
constexpr auto kDay = static_cast<double>(kDayUs);

// Sum of the weights of the latest `count` products.
double WeightOf(std::int64_t count) {
  // (1 - k^n) / (1 - k) by squaring: no logarithm, the same bits everywhere.
  double power = 1.0, base = static_cast<double>(kKept);
  for (auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 1)); n > 0; n >>= 1) {
    if (n & 1) power *= base;
    base *= base;
  }
  return (1.0 - power) * kMemory;
}

}  // namespace

void SeasonFinder::Next(graph::TimeUs time_us, double value) {
  if (count_ > 0) {
    const auto step = static_cast<double>(time_us - time_us_);
    // A gap says little of the step.
    step_.Add(step_.count > 0.0 ? std::min(step, 4.0 * step_.mean) : step, kMemory);
  }
  time_us_ = time_us;
  Learn(value);
  ++count_;
  has_changed_ = count_ % kEvery == 0 && count_ >= 2 * kEvery && Look();
}

void SeasonFinder::Learn(double value) {
  constexpr double kFarthest = 4.0;
  // What is far off would be all that the products see.
  const double most = kFarthest * level_.deviation;
  const double off = level_.count > 0.0 ? value - level_.mean : 0.0;
  const auto now = static_cast<float>(level_.count < 30.0 ? off : std::clamp(off, -most, most));
  level_.Add(value, kMemory);
  const std::size_t held = std::min(past_.size(), kLags);
  const float* const past = past_.data() + past_.size() - held;
  float* const sums = sums_.data() + kLags - held;
  for (std::size_t i = 0; i < held; ++i) sums[i] = sums[i] * kKept + now * past[i];
  square_ = square_ * static_cast<double>(kKept) + static_cast<double>(now) * now;
  if (past_.size() == 2 * kLags)
    past_.erase(past_.begin(), past_.begin() + static_cast<std::ptrdiff_t>(kLags));
  past_.push_back(now);
}

double SeasonFinder::LikenessAt(std::size_t lag) const {
  const double square = square_ / WeightOf(count_);
  if (!(square > 0.0)) return 0.0;
  const double weight = WeightOf(count_ - static_cast<std::int64_t>(lag));
  return static_cast<double>(sums_[kLags - lag]) / weight / square;
}

std::optional<double> SeasonFinder::LikenessAfter(double records) const {
  const auto lag = static_cast<std::int64_t>(std::floor(records + 0.5));
  if (lag < 2 || lag + 1 >= static_cast<std::int64_t>(kLags) || count_ < 2 * lag)
    return std::nullopt;
  const auto at = static_cast<std::size_t>(lag);
  return std::max({LikenessAt(at - 1), LikenessAt(at), LikenessAt(at + 1)});
}

// Up to `most` records ago; the first is 1.
std::vector<double> SeasonFinder::Likenesses(std::size_t most) const {
  std::vector<double> likeness(most + 1, 1.0);
  const double square = square_ / WeightOf(count_);
  double weight = WeightOf(count_ - static_cast<std::int64_t>(most));
  for (std::size_t lag = most; lag > 0; --lag) {
    likeness[lag] = square > 0.0 ? static_cast<double>(sums_[kLags - lag]) / weight / square : 0.0;
    weight = 1.0 + static_cast<double>(kKept) * weight;
  }
  return likeness;
}

// Of the peaks that lie behind a valley, the first that is nearly as high as any.
std::optional<double> SeasonFinder::FindLag() const {
  constexpr double kLeast = 0.35, kValley = 0.3, kNearly = 0.85, kAround = 1.4;
  const auto cycles = static_cast<std::size_t>(count_ / kCycles);
  const std::vector<double> likeness = Likenesses(std::min(kLags, cycles));
  double valley = 1.0, highest = 0.0;
  std::vector<std::size_t> peaks;
  for (std::size_t lag = 2; lag + 1 < likeness.size(); ++lag) {
    valley = std::min(valley, likeness[lag - 1]);
    const bool is_peak = likeness[lag] >= likeness[lag - 1] && likeness[lag] > likeness[lag + 1];
    if (!is_peak || likeness[lag] < kLeast || likeness[lag] - valley < kValley) continue;
    peaks.push_back(lag);
    highest = std::max(highest, likeness[lag]);
  }
  const auto first = std::ranges::find_if(
      peaks, [&](std::size_t lag) { return likeness[lag] >= kNearly * highest; });
  if (first == peaks.end()) return std::nullopt;
  // Noise makes small peaks on the slope of a broad one.
  std::size_t best = *first;
  for (const std::size_t lag : peaks)
    if (static_cast<double>(lag) < kAround * static_cast<double>(*first) &&
        likeness[lag] > likeness[best])
      best = lag;
  return Refine(best, likeness);
}

// Multiples of a season repeat as well, and tell it to parts of a record.
double SeasonFinder::Refine(std::size_t lag, std::span<const double> likeness) {
  auto period = static_cast<double>(lag);
  for (double times = 2.0; times * period + 3.0 < static_cast<double>(likeness.size());
       times *= 2.0) {
    const auto middle = static_cast<std::ptrdiff_t>(std::floor(times * period + 0.5));
    const auto near = likeness.subspan(static_cast<std::size_t>(middle - 2), 5);
    const std::ptrdiff_t best = std::ranges::max_element(near) - near.begin();
    period = static_cast<double>(middle - 2 + best) / times;
  }
  return period;
}

// What repeats after so many records is a season of its own unless days say as much.
bool SeasonFinder::IsBetterThanDays(double records) const {
  constexpr double kBetter = 0.15, kParts = 8.0;
  const double day = kDay / step_.mean;
  const double days = records / day;
  const double whole = std::floor(days + 0.5);
  if (whole >= 1.0 && std::abs(days - whole) <= 2.0 * kSame * whole) return false;
  // Half hours tell nothing of what repeats within a few of them.
  if (day / records > static_cast<double>(kDaySlots) / kParts) return true;
  if (day >= static_cast<double>(kLags)) return false;  // nobody knows how good days are
  return LikenessAfter(records).value_or(0.0) > LikenessAfter(day).value_or(0.0) + kBetter;
}

bool SeasonFinder::Look() {
  constexpr double kStillThere = 0.2;
  constexpr std::int64_t kAgreed = 4;
  if (!(step_.mean > 0.0)) return false;
  const auto found = FindLag();
  const bool agrees = found && std::abs(*found - candidate_) <= kSame * candidate_;
  candidate_ = found.value_or(0.0);
  agreed_ = !found ? 0 : agrees ? agreed_ + 1 : 1;
  if (agreed_ >= kAgreed)
    return TakeUp(IsBetterThanDays(candidate_) ? candidate_ * step_.mean : kDay);
  if (season_.is_day()) return false;
  const double records = static_cast<double>(season_.period_us) / step_.mean;
  return LikenessAfter(records).value_or(1.0) < kStillThere && TakeUp(kDay);
}

// Whether it is another season. The same one a little more exactly goes on where it is.
bool SeasonFinder::TakeUp(double period) {
  const auto known = static_cast<double>(season_.period_us);
  const bool is_same = std::abs(period - known) <= kSame * known;
  if (is_same && season_.is_day()) return false;
  if (is_same) {
    season_.begin_us = time_us_ - (time_us_ - season_.begin_us) % season_.period_us;
  } else {
    season_.begin_us = time_us_;
  }
  season_.period_us = static_cast<graph::TimeUs>(std::max(1.0, period));
  return !is_same;
}

}  // namespace weft::operators::sequence
