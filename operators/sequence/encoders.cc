#include "operators/sequence/encoders.h"

#include <algorithm>
#include <cmath>

#include "gpu/host_device.h"
#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {
namespace {

// Sorts, leaves doubles out, and puts them behind what is there.
void AppendBits(std::vector<std::uint32_t> bits, std::int64_t size, SparseBits& to) {
  std::ranges::sort(bits);
  bits.erase(std::unique(bits.begin(), bits.end()), bits.end());
  for (const std::uint32_t bit : bits) to.bits.push_back(bit + static_cast<std::uint32_t>(to.size));
  to.size += size;
}

}  // namespace

std::int64_t ScalarEncoder::bucket_count() const {
  return options_.periodic ? options_.bits : options_.bits - options_.active + 1;
}

std::int64_t ScalarEncoder::BucketOf(double value) const {
  const double range = options_.most - options_.least;
  if (options_.periodic) {
    double turns = (value - options_.least) / range;
    turns -= std::floor(turns);
    return std::min(static_cast<std::int64_t>(turns * static_cast<double>(options_.bits)),
                    options_.bits - 1);
  }
  const double bounded = std::clamp(value, options_.least, options_.most);
  const double resolution = range / static_cast<double>(bucket_count() - 1);
  return static_cast<std::int64_t>(std::floor((bounded - options_.least) / resolution + 0.5));
}

void ScalarEncoder::Encode(double value, SparseBits& to) const {
  std::vector<std::uint32_t> bits;
  if (std::isfinite(value)) {
    const std::int64_t first =
        options_.periodic ? BucketOf(value) - options_.active / 2 + options_.bits : BucketOf(value);
    for (std::int64_t i = 0; i < options_.active; ++i)
      bits.push_back(static_cast<std::uint32_t>((first + i) % options_.bits));
  }
  AppendBits(std::move(bits), options_.bits, to);
}

void RandomScalarEncoder::Encode(double value, SparseBits& to) const {
  constexpr double kMost = 1e15;
  std::vector<std::uint32_t> bits;
  if (std::isfinite(value)) {
    const double place = std::clamp(value / options_.resolution, -kMost, kMost);
    const auto stretch = static_cast<std::int64_t>(std::floor(place + 0.5));
    for (std::int64_t i = 0; i < options_.active; ++i)
      bits.push_back(static_cast<std::uint32_t>(
          gpu::CounterHash(options_.seed, static_cast<std::uint64_t>(stretch + i), 0) %
          static_cast<std::uint64_t>(options_.bits)));
  }
  AppendBits(std::move(bits), options_.bits, to);
}

DateTimeEncoder::DateTimeEncoder(const Options& options) : options_(options) {
  const auto periodic = [](double most, double radius, std::int64_t active) {
    const auto bits =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(active) * most / radius));
    return ScalarEncoder({.most = most, .bits = bits, .active = active, .periodic = true});
  };
  if (options.day_active > 0)
    parts_.push_back(periodic(24.0, options.day_radius_hours, options.day_active));
  if (options.week_active > 0) parts_.push_back(periodic(7.0, 1.0, options.week_active));
  if (options.weekend_active > 0)
    parts_.emplace_back(ScalarEncoder::Options{.bits = 2 * options.weekend_active,
                                               .active = options.weekend_active});
  if (options.year_active > 0) parts_.push_back(periodic(366.0, 91.5, options.year_active));
}

std::int64_t DateTimeEncoder::size() const {
  std::int64_t size = 0;
  for (const ScalarEncoder& part : parts_) size += part.size();
  return size;
}

void DateTimeEncoder::Encode(graph::TimeUs time_us, SparseBits& to) const {
  constexpr double kYearDays = 365.2425;
  const double days = static_cast<double>(time_us) / static_cast<double>(kDayUs);
  const double hour = (days - std::floor(days)) * 24.0;
  const CalendarPlace place = PlaceOf(time_us);
  std::size_t at = 0;
  if (options_.day_active > 0) parts_[at++].Encode(hour, to);
  if (options_.week_active > 0) parts_[at++].Encode(place.weekday(), to);
  if (options_.weekend_active > 0) parts_[at++].Encode(place.is_weekend() ? 1.0 : 0.0, to);
  if (options_.year_active > 0)
    parts_[at++].Encode(days - std::floor(days / kYearDays) * kYearDays, to);
}

void CategoryEncoder::Encode(std::uint64_t number, SparseBits& to) const {
  const SparseBits drawn =
      RandomBits(options_.bits, options_.active, gpu::CounterHash(options_.seed, number, 1));
  Append(drawn, to);
}

void CategoryEncoder::Encode(std::string_view name, SparseBits& to) const {
  std::uint64_t hash = 0;
  for (const char letter : name)
    hash = gpu::CounterHash(options_.seed, hash, static_cast<unsigned char>(letter));
  Encode(hash, to);
}

void CoordinateEncoder::Encode(std::span<const std::int64_t> place, SparseBits& to) const {
  std::vector<std::int64_t> at(place.begin(), place.end());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> neighbors;  // order, then what makes the bit
  for (std::int64_t& one : at) one -= options_.radius;
  while (true) {
    std::uint64_t hash = 0;
    for (const std::int64_t one : at)
      hash = gpu::CounterHash(options_.seed, hash, static_cast<std::uint64_t>(one));
    neighbors.emplace_back(gpu::CounterHash(options_.seed, hash, 2), hash);
    std::size_t dimension = 0;
    while (dimension < at.size() && ++at[dimension] > place[dimension] + options_.radius) {
      at[dimension] = place[dimension] - options_.radius;
      ++dimension;
    }
    if (dimension == at.size()) break;
  }
  const auto count = std::min(neighbors.size(), static_cast<std::size_t>(options_.active));
  std::ranges::partial_sort(neighbors, neighbors.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<std::uint32_t> bits;
  for (std::size_t i = 0; i < count; ++i)
    bits.push_back(static_cast<std::uint32_t>(neighbors[i].second %
                                              static_cast<std::uint64_t>(options_.bits)));
  AppendBits(std::move(bits), options_.bits, to);
}

}  // namespace weft::operators::sequence
