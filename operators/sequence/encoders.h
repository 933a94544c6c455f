// Encoders: from values of a record to sparse bits, alike for values that are alike. A value that
// is missing (not a number) has no bit on.
//
// Source: the encoders of HTM (Purdy 2016), with draws that depend on the seed and the value alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {

// `active` bits next to each other, whose place says where in [least, most] a value lies; outside
// of that the nearest place. Periodic: most is the same as least, and places wrap around.
class ScalarEncoder {
 public:
  struct Options {
    double least = 0.0, most = 1.0;
    std::int64_t bits = 400;
    std::int64_t active = 21;
    bool periodic = false;
  };
  explicit ScalarEncoder(const Options& options) : options_(options) {}
  std::int64_t size() const { return options_.bits; }
  // Appends the bits.
  void Encode(double value, SparseBits& to) const;
  // Places that values can have; the one of a value.
  std::int64_t bucket_count() const;
  std::int64_t BucketOf(double value) const;

 private:
  Options options_;
};

// Values without bounds: each stretch of `resolution` has `active` bits drawn by its number, all
// but one of them those of the stretch before (random distributed scalar encoder).
class RandomScalarEncoder {
 public:
  struct Options {
    double resolution = 1.0;
    std::int64_t bits = 400;
    std::int64_t active = 21;
    std::uint64_t seed = 42;
  };
  explicit RandomScalarEncoder(const Options& options) : options_(options) {}
  std::int64_t size() const { return options_.bits; }
  void Encode(double value, SparseBits& to) const;

 private:
  Options options_;
};

// Time of day, day of week, weekend and time of year, those whose width is above 0, in this order.
class DateTimeEncoder {
 public:
  struct Options {
    std::int64_t day_active = 21;   // bits of the time of day
    double day_radius_hours = 4.0;  // times closer than this share bits
    std::int64_t week_active = 0;   // of the day of week
    std::int64_t weekend_active = 0;
    std::int64_t year_active = 0;  // of the time of year, within 91.5 days
  };
  explicit DateTimeEncoder(const Options& options);
  std::int64_t size() const;
  void Encode(graph::TimeUs time_us, SparseBits& to) const;

 private:
  Options options_;
  std::vector<ScalarEncoder> parts_;
};

// Names: each has `active` bits drawn by itself.
class CategoryEncoder {
 public:
  struct Options {
    std::int64_t bits = 2048;
    std::int64_t active = 41;
    std::uint64_t seed = 42;
  };
  explicit CategoryEncoder(const Options& options) : options_(options) {}
  std::int64_t size() const { return options_.bits; }
  void Encode(std::string_view name, SparseBits& to) const;
  void Encode(std::uint64_t number, SparseBits& to) const;

 private:
  Options options_;
};

// Places in a grid of any dimension: of all within `radius` the `active` that a draw puts first, so
// that places near each other share bits.
class CoordinateEncoder {
 public:
  struct Options {
    std::int64_t radius = 5;
    std::int64_t bits = 1000;
    std::int64_t active = 21;
    std::uint64_t seed = 42;
  };
  explicit CoordinateEncoder(const Options& options) : options_(options) {}
  std::int64_t size() const { return options_.bits; }
  void Encode(std::span<const std::int64_t> place, SparseBits& to) const;

 private:
  Options options_;
};

}  // namespace weft::operators::sequence
