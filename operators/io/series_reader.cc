#include "operators/io/series_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_join.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/csv_fields.h"
#include "operators/io/nearest_name.h"

namespace weft::operators::io {
namespace {

using graph::Concat;

constexpr std::size_t kMostSeriesColumns = 4096;
constexpr std::size_t kNoColumn = std::string::npos;

std::optional<double> NumberOf(std::string_view text) {
  double number = 0.0;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && stop == text.data() + text.size() && !text.empty();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool IsMissing(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower.empty() || lower == "nan" || lower == "na" || lower == "null";
}

// The lines of a CSV file, field by field.
class Table {
 public:
  static absl::StatusOr<Table> Open(const std::string& path) {
    WEFT_ASSIGN(OpenedFile file, OpenFile(path));
    const ReadOptions options;
    Table table(path, RecordBuffer(std::move(file.bytes), options.limits.max_line_bytes), options);
    WEFT_TRY(table.buffer_.Peek().status());
    WEFT_ASSIGN(CsvHeader header, ReadCsvHeader(table.buffer_, table.rows_, kMostSeriesColumns,
                                                Concat("expected at most ", kMostSeriesColumns,
                                                       " columns, got more")));
    table.delimiter_ = header.delimiter;
    table.names_ = std::move(header.names);
    // Without a header the first line is a row.
    if (std::ranges::all_of(table.names_,
                            [](const std::string& name) { return NumberOf(name).has_value(); })) {
      table.first_row_ = table.names_;
      table.line_ = header.line;
      for (std::size_t i = 0; i < table.names_.size(); ++i) table.names_[i] = std::to_string(i + 1);
    }
    return table;
  }

  const std::vector<std::string>& names() const { return names_; }

  // The place of a column, by its name or its number.
  absl::StatusOr<std::size_t> ColumnOf(std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    std::size_t number = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && stop == name.data() + name.size() && number >= 1 &&
        number <= names_.size())
      return number - 1;
    return rows_.Error(1, Concat("expected a column ", name, DidYouMean(name, names_),
                                 ", got columns ", absl::StrJoin(names_, ", ")));
  }

  // The next row; false at the end. Fields are valid until the next call.
  absl::StatusOr<bool> Next(std::vector<std::string_view>& fields) {
    fields.clear();
    if (!first_row_.empty() && !first_given_) {
      first_given_ = true;
      fields.assign(first_row_.begin(), first_row_.end());
      return true;
    }
    RecordBuffer::Record record;
    do {
      while (!buffer_.Next(record)) {
        WEFT_ASSIGN(const bool more, buffer_.Refill());
        if (!more) return false;
      }
    } while (record.text.empty() && !record.too_long);
    line_ = record.line;
    if (record.too_long) return Wrong("expected a line of at most 1048576 bytes, got more");
    rows_.ClearRows();
    rows_.Begin(line_);
    bool more = true;
    while (more) {
      std::string_view field;
      if (!NextField(delimiter_, record.text, more, field, rows_)) return rows_.End(0);
      fields.push_back(field);
    }
    if (fields.size() == names_.size()) return true;
    return Wrong(Concat("expected ", names_.size(), " fields, got ", fields.size()));
  }

  absl::Status Wrong(std::string_view message) const { return rows_.Error(line_, message); }

 private:
  Table(const std::string& path, RecordBuffer buffer, const ReadOptions& options)
      : buffer_(std::move(buffer)), rows_(path, options) {}

  RecordBuffer buffer_;
  RowBuilder rows_;
  char delimiter_ = ',';
  std::vector<std::string> names_, first_row_;
  bool first_given_ = false;
  std::int64_t line_ = 1;
};

std::size_t TimeColumn(const std::vector<std::string>& names) {
  for (const std::string_view usual : {"timestamp", "time", "ts", "date", "datetime"})
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string lower(names[i]);
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      if (lower == usual) return i;
    }
  return kNoColumn;
}

}  // namespace

std::int64_t Series::missing() const {
  return std::ranges::count_if(value, [](double one) { return !std::isfinite(one); });
}

absl::StatusOr<Series> LoadSeries(const std::string& path, const SeriesColumns& columns) {
  WEFT_ASSIGN(Table table, Table::Open(path));
  std::size_t time = TimeColumn(table.names()), value = kNoColumn;
  if (!columns.time.empty()) {
    WEFT_ASSIGN(time, table.ColumnOf(columns.time));
  }
  if (!columns.value.empty()) {
    WEFT_ASSIGN(value, table.ColumnOf(columns.value));
  } else if (const auto named = std::ranges::find(table.names(), "value");
             named != table.names().end()) {
    value = static_cast<std::size_t>(named - table.names().begin());
  }
  Series series;
  std::vector<std::string_view> fields;
  int left_out = 0;
  while (true) {
    WEFT_ASSIGN(const bool more, table.Next(fields));
    if (!more) break;
    graph::TimeUs time_us = static_cast<graph::TimeUs>(series.value.size()) * 1'000'000;
    if (time != kNoColumn && !ParseTime(fields[time], columns.time_unit, time_us)) {
      if (series.value.empty() && left_out++ < 2) continue;
      return table.Wrong(Concat(table.names()[time], ": expected a number of ",
                                TimeUnitName(columns.time_unit), " or an ISO-8601 time, got \"",
                                fields[time], "\""));
    }
    for (std::size_t i = 0; value == kNoColumn && i < fields.size(); ++i)
      if (i != time && NumberOf(fields[i])) value = i;
    if (value == kNoColumn) return table.Wrong("expected a column of numbers, got none");
    const auto number = NumberOf(fields[value]);
    if (!number && !IsMissing(fields[value]))
      return table.Wrong(
          Concat(table.names()[value], ": expected a number, got \"", fields[value], "\""));
    series.time_us.push_back(time_us);
    if (time != kNoColumn) series.time_text.emplace_back(fields[time]);
    series.value.push_back(number.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  if (series.value.empty()) return table.Wrong("expected rows, got none");
  series.value_column = table.names()[value];
  if (time != kNoColumn) series.time_column = table.names()[time];
  return series;
}

absl::StatusOr<std::vector<std::vector<std::int64_t>>> LoadIntegers(
    const std::string& path, const std::vector<std::string>& names) {
  WEFT_ASSIGN(Table table, Table::Open(path));
  std::vector<std::size_t> places;
  for (std::string_view name : names) {
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    if (optional && std::ranges::find(table.names(), name) == table.names().end()) {
      places.push_back(kNoColumn);
      continue;
    }
    WEFT_ASSIGN(const std::size_t place, table.ColumnOf(name));
    places.push_back(place);
  }
  std::vector<std::vector<std::int64_t>> columns(names.size());
  std::vector<std::string_view> fields;
  while (true) {
    WEFT_ASSIGN(const bool more, table.Next(fields));
    if (!more) return columns;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] == kNoColumn) continue;
      const std::string_view text = fields[places[i]];
      std::int64_t number = 0;
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || stop != text.data() + text.size())
        return table.Wrong(
            Concat(table.names()[places[i]], ": expected a whole number, got \"", text, "\""));
      columns[i].push_back(number);
    }
  }
}

}  // namespace weft::operators::io
