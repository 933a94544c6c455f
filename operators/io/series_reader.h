// Series: one column of numbers of a CSV file, with the time of each row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/time.h"
#include "operators/io/event_reader.h"

namespace weft::operators::io {

struct SeriesColumns {
  // Name of the column, or its number from 1. Empty: the first that is called value, else the first
  // with a number that is not the time.
  std::string value = {};
  // Empty: the first that is called timestamp, time, ts, date or datetime; without such a column
  // records are a second apart.
  std::string time = {};
  TimeUnit time_unit = TimeUnit::kSeconds;
};

struct Series {
  std::vector<graph::TimeUs> time_us;
  std::vector<std::string> time_text;  // as the file has it; empty where it has none
  std::vector<double> value;           // NaN where it is missing: an empty field, NaN, NA or null
  std::string value_column, time_column;  // which ones they are; empty: none
  std::int64_t missing() const;
};

// A file whose first line has numbers only has no header. Up to two lines behind a header are left
// out that have no time, as NuPIC's files have. INVALID_ARGUMENT as `file:line: what was expected,
// got what came`, NOT_FOUND for a file that cannot be opened. `path` "-" is standard input.
absl::StatusOr<Series> LoadSeries(const std::string& path, const SeriesColumns& columns);

// Columns of whole numbers, by name; the same rules. A name with ? at its end may be absent: its
// column is empty then.
absl::StatusOr<std::vector<std::vector<std::int64_t>>> LoadIntegers(
    const std::string& path, const std::vector<std::string>& names);

}  // namespace weft::operators::io
