#include "operators/io/csv_reader.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_join.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/csv_fields.h"
#include "operators/io/nearest_name.h"

namespace weft::operators::io {
namespace {

// The k of "f<k>"; -1 for other names.
std::int64_t FeatureNumber(std::string_view name) {
  std::int64_t number = -1;
  if (name.size() < 2 || name.size() > 10 || name[0] != 'f') return -1;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 1, end, number);
  return error == std::errc() && stop == end ? number : -1;
}

}  // namespace

absl::Status CsvReader::ReadHeader() {
  const std::int32_t most = rows_.options().limits.max_features;
  WEFT_ASSIGN(CsvHeader header,
              ReadCsvHeader(buffer_, rows_, static_cast<std::size_t>(most) + 64,
                            graph::Concat("expected at most ", most,
                                          " features (max_features), got more columns")));
  header_line_ = header.line;
  delimiter_ = header.delimiter;
  for (std::string& name : header.names)
    columns_.push_back({.role = Role::kUnused, .feature = 0, .name = std::move(name)});
  return AssignRoles();
}

absl::Status CsvReader::AssignRoles() {
  std::int32_t seen[5] = {};
  for (Column& column : columns_) WEFT_TRY(AssignRole(column, seen));
  const FieldNames& names = rows_.options().names;
  if (seen[0] == 0) return MissingColumn(names.source);
  if (seen[1] == 0) return MissingColumn(names.target);
  if (seen[2] == 0) return MissingColumn(names.time);
  rows_.report().has_label = seen[3] > 0;
  return CheckFeatures();
}

absl::Status CsvReader::AssignRole(Column& column, std::int32_t (&seen)[5]) {
  const FieldNames& names = rows_.options().names;
  std::vector<std::string> known = {names.source, names.target, names.time, names.label};
  const auto place = std::find(known.begin(), known.end(), column.name);
  if (place != known.end()) {
    const auto index = place - known.begin();
    if (++seen[index] > 1) {
      return rows_.Error(header_line_,
                         graph::Concat("expected one column ", column.name, ", got two"));
    }
    column.role = static_cast<Role>(index + 1);
    return absl::OkStatus();
  }
  const auto feature = std::find(names.features.begin(), names.features.end(), column.name);
  const std::int64_t number =
      !names.features.empty()
          ? (feature == names.features.end() ? -1 : feature - names.features.begin())
          : FeatureNumber(column.name);
  if (number >= rows_.options().limits.max_features) {
    return rows_.Error(header_line_,
                       graph::Concat("expected at most ", rows_.options().limits.max_features,
                                     " features (max_features), got column ", column.name));
  }
  if (number >= 0) {
    column.role = Role::kFeature;
    column.feature = static_cast<std::int32_t>(number);
    ++feature_count_;
    return absl::OkStatus();
  }
  rows_.report().unused_columns.push_back(
      graph::Concat(column.name, DidYouMean(column.name, known)));
  return absl::OkStatus();
}

absl::Status CsvReader::CheckFeatures() const {
  std::vector<bool> found(static_cast<std::size_t>(feature_count_), false);
  for (const Column& column : columns_) {
    if (column.role != Role::kFeature) continue;
    if (column.feature >= feature_count_ || found[static_cast<std::size_t>(column.feature)]) {
      return rows_.Error(
          header_line_,
          graph::Concat("expected ", feature_count_,
                        " feature columns, each once and without a hole, got ", column.name));
    }
    found[static_cast<std::size_t>(column.feature)] = true;
  }
  return absl::OkStatus();
}

absl::Status CsvReader::MissingColumn(const std::string& name) const {
  std::vector<std::string> unused;
  for (const Column& column : columns_) {
    if (column.role == Role::kUnused) unused.push_back(column.name);
  }
  const std::string found = absl::StrJoin(
      columns_, ", ",
      [](std::string* out, const Column& column) { absl::StrAppend(out, column.name); });
  const std::string_view nearest = NearestName(name, unused);
  const std::string hint = nearest.empty() ? std::string()
                                           : graph::Concat("; is ", std::string(nearest),
                                                           " meant? Name it with --columns ", name,
                                                           "=", std::string(nearest));
  return rows_.Error(header_line_,
                     graph::Concat("expected a column ", name, ", got columns ", found, hint));
}

bool CsvReader::TakeField(const Column& column, std::string_view field) {
  switch (column.role) {
    case Role::kUnused:
      return true;
    case Role::kSource:
      return rows_.SetSource(field);
    case Role::kTarget:
      return rows_.SetTarget(field);
    case Role::kTime:
      return rows_.SetTime(field);
    case Role::kLabel:
      return rows_.SetLabel(field);
    case Role::kFeature:
      return rows_.SetFeature(column.feature, column.name, field);
  }
  return true;
}

void CsvReader::ParseLine(std::string_view line) {
  bool more = true;
  std::size_t index = 0;
  for (; more && index < columns_.size(); ++index) {
    std::string_view field;
    if (!NextField(delimiter_, line, more, field, rows_)) return;
    if (!TakeField(columns_[index], field)) return;
  }
  if (more || index < columns_.size()) {
    rows_.Fail(graph::Concat("expected ", columns_.size(), " fields, got ",
                             more ? "more" : graph::Concat(index)));
  }
}

absl::StatusOr<const EventRows*> CsvReader::Next(std::int64_t max_rows) {
  rows_.ClearRows();
  RecordBuffer::Record record;
  while (pending_.ok() && rows_.rows().size() < max_rows) {
    if (!buffer_.Next(record)) {
      if (rows_.rows().size() > 0) break;  // their keys lie in the buffer
      WEFT_ASSIGN(const bool more, buffer_.Refill());
      if (!more) break;
      continue;
    }
    if (record.text.empty() && !record.too_long) continue;
    rows_.Begin(record.line);
    if (record.too_long) {
      rows_.Fail(graph::Concat("expected a line of at most ", rows_.options().limits.max_line_bytes,
                               " bytes (max_line_bytes), got more"));
    } else {
      ParseLine(record.text);
    }
    pending_ = rows_.End(feature_count_);
    if (!pending_.ok()) break;
  }
  rows_.report().bytes = buffer_.bytes_read();
  if (!pending_.ok() && rows_.rows().size() == 0) return pending_;
  return &rows_.rows();
}

}  // namespace weft::operators::io
