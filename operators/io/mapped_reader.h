// MappedReader: the half of EventReader (operators/io/event_reader.h) that reads rows which are not
// events, as an InputMapping says (weft/operators/io/v1/input_mapping.proto); made by
// EventReader::Open.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/io/event_reader.h"
#include "operators/io/record_buffer.h"
#include "operators/io/row_builder.h"
#include "weft/operators/io/v1/input_mapping.pb.h"

namespace weft::operators::io {

// A mapping in protobuf text form. INVALID_ARGUMENT with file and line, or for a mapping that makes
// no sense.
absl::StatusOr<std::shared_ptr<const v1::InputMapping>> ParseInputMapping(std::string_view text,
                                                                          std::string_view path);

class MappedReader final : public EventReader {
 public:
  static absl::StatusOr<std::unique_ptr<EventReader>> Open(std::string file, RecordBuffer buffer,
                                                           const ReadOptions& options);

  absl::StatusOr<const EventRows*> Next(std::int64_t max_rows) override;
  std::int32_t feature_count() const override { return 0; }
  const ReadReport& report() const override { return rows_.report(); }

 private:
  // What a text is put together from.
  struct Piece {
    enum Kind : std::uint8_t { kText, kColumns, kBefore, kAfter, kPrevious };
    Kind kind = kText;
    std::string text;
    std::vector<std::size_t> columns;  // the first that is not empty
  };
  using Template = std::vector<Piece>;
  struct Condition {
    std::size_t column = 0;
    bool equals = false;
    std::string value;
  };
  struct MatrixColumn {
    std::size_t column = 0;
    std::string source, target;
  };
  struct Rule {
    Template source, target, on_change;
    std::vector<Condition> when;
    bool splits = false;
    std::size_t split_column = 0;
    std::string split_at;
    std::vector<MatrixColumn> matrix;
    bool has_last = false;
    std::string last;  // what on_change came to
    std::string_view before, after, previous;
    bool lasts = false;
    std::size_t until_column = 0;
    graph::TimeUs every_us = 0;
  };

  MappedReader(std::string file, RecordBuffer buffer, const ReadOptions& options)
      : buffer_(std::move(buffer)), rows_(std::move(file), options) {}

  absl::Status ReadHeader();
  absl::Status Compile();
  absl::Status CompileRule(const v1::MappedEvent& event, Rule& rule) const;
  absl::Status CompileMatrix(const std::string& form, Rule& rule) const;
  absl::StatusOr<Template> CompileText(const std::string& text) const;
  absl::StatusOr<std::size_t> ColumnOf(std::string_view name) const;
  void TakeLine(std::int64_t line, std::string_view text);
  bool Applies(Rule& rule);
  std::string Expand(const Template& pieces, const Rule& rule) const;
  void Emit(std::int64_t line, const Rule& rule, std::string_view source, std::string_view target);
  void EmitWhileItLasts(std::int64_t line, const Rule& rule, std::string_view source,
                        std::string_view target);
  // Of the row that was begun.
  bool SetEnds(std::string_view source, std::string_view target);

  RecordBuffer buffer_;
  RowBuilder rows_;
  absl::Status pending_;  // of the line after the rows given out last
  char delimiter_ = ',';
  std::vector<std::string> columns_;
  std::size_t time_column_ = 0;
  std::vector<Rule> rules_;
  std::vector<std::string_view> fields_;  // of the line at hand
};

}  // namespace weft::operators::io
