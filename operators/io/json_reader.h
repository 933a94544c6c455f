// The JSON half of EventReader (operators/io/event_reader.h); made by EventReader::Open.
#pragma once

#include <string>
#include <vector>

#include <simdjson.h>

#include "operators/io/event_reader.h"
#include "operators/io/record_buffer.h"
#include "operators/io/row_builder.h"

namespace weft::operators::io {

class JsonReader final : public EventReader {
 public:
  JsonReader(std::string file, RecordBuffer buffer, const ReadOptions& options)
      : buffer_(std::move(buffer)), rows_(std::move(file), options) {}

  absl::StatusOr<const EventRows*> Next(std::int64_t max_rows) override;
  std::int32_t feature_count() const override { return feature_count_ < 0 ? 0 : feature_count_; }
  const ReadReport& report() const override { return rows_.report(); }

 private:
  using Value = simdjson::ondemand::value;

  void ParseRecord(std::string_view text);
  bool TakeField(std::string_view name, Value value);
  bool TakeFeatures(Value value);
  // The text of a string or of a number; false after an error of the row.
  bool Text(std::string_view name, Value value, std::string_view& text);
  bool NumberText(std::string_view name, Value value, std::string_view& text);
  void NoteUnused(std::string_view name);

  RecordBuffer buffer_;
  RowBuilder rows_;
  absl::Status pending_;  // of the line after the rows given out last
  simdjson::ondemand::parser parser_;
  std::vector<std::string> unused_;
  std::int32_t feature_count_ = -1;  // of the first row
  std::int32_t row_features_ = 0;
};

}  // namespace weft::operators::io
