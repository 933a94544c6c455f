#include "operators/link/time_split.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::link {
namespace {

// The number of events whose time is at most the quantile.
std::int64_t CountUpTo(std::span<const graph::TimeUs> time_us, double quantile) {
  const double place = quantile * static_cast<double>(time_us.size() - 1);
  const double whole = std::floor(place);
  const auto index = static_cast<std::size_t>(whole);
  const graph::TimeUs below = time_us[index];
  const graph::TimeUs above = time_us[std::min(index + 1, time_us.size() - 1)];
  // Only whole microseconds are compared with it, so its fraction does not matter. The gap is taken
  // without sign, because it may be wider than int64.
  const auto gap =
      static_cast<double>(static_cast<std::uint64_t>(above) - static_cast<std::uint64_t>(below));
  const auto offset = static_cast<std::uint64_t>(gap * (place - whole));
  const auto limit = static_cast<graph::TimeUs>(static_cast<std::uint64_t>(below) + offset);
  return std::upper_bound(time_us.begin(), time_us.end(), limit) - time_us.begin();
}

}  // namespace

TimeSplit SplitByTime(std::span<const graph::TimeUs> time_us, double train,
                      double train_validation) {
  if (time_us.empty()) return {};
  return {.validation = CountUpTo(time_us, train),
          .test = CountUpTo(time_us, train_validation),
          .end = static_cast<std::int64_t>(time_us.size())};
}

}  // namespace weft::operators::link
