// The CSV half of EventReader (operators/io/event_reader.h); made by EventReader::Open.
#pragma once

#include <string>
#include <vector>

#include "operators/io/event_reader.h"
#include "operators/io/record_buffer.h"
#include "operators/io/row_builder.h"

namespace weft::operators::io {

class CsvReader final : public EventReader {
 public:
  CsvReader(std::string file, RecordBuffer buffer, const ReadOptions& options)
      : buffer_(std::move(buffer)), rows_(std::move(file), options) {}

  // Finds the columns.
  absl::Status ReadHeader();

  absl::StatusOr<const EventRows*> Next(std::int64_t max_rows) override;
  std::int32_t feature_count() const override { return feature_count_; }
  const ReadReport& report() const override { return rows_.report(); }

 private:
  enum class Role { kUnused, kSource, kTarget, kTime, kLabel, kFeature };
  struct Column {
    Role role = Role::kUnused;
    std::int32_t feature = 0;
    std::string name;
  };

  absl::Status AssignRoles();
  absl::Status AssignRole(Column& column, std::int32_t (&seen)[5]);
  absl::Status CheckFeatures() const;
  absl::Status MissingColumn(const std::string& name) const;
  void ParseLine(std::string_view line);
  bool TakeField(const Column& column, std::string_view field);

  RecordBuffer buffer_;
  RowBuilder rows_;
  absl::Status pending_;  // of the line after the rows given out last
  std::vector<Column> columns_;
  std::int64_t header_line_ = 1;
  std::int32_t feature_count_ = 0;
  char delimiter_ = ',';
};

}  // namespace weft::operators::io
