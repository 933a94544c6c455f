// What the CSV and the JSON reader share: checking and collecting the fields of one event, and the
// report.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "operators/io/event_reader.h"

namespace weft::operators::io {

class RowBuilder {
 public:
  RowBuilder(std::string file, const ReadOptions& options)
      : file_(std::move(file)), options_(options) {}

  // Forgets the rows, keeps the report.
  void ClearRows();

  void Begin(std::int64_t line);
  // Each returns false after noting the first error of the row.
  bool SetSource(std::string_view key) { return SetKey(options_.names.source, key, source_); }
  bool SetTarget(std::string_view key) { return SetKey(options_.names.target, key, target_); }
  bool SetTime(std::string_view text);
  // The time of a field, after noting the error of one that has none.
  std::optional<graph::TimeUs> TimeOf(std::string_view name, std::string_view text);
  void SetTimeUs(graph::TimeUs time_us) { time_us_ = time_us; }
  bool SetLabel(std::string_view text) { return ReadNumber(options_.names.label, text, label_); }
  // Feature values come in any order; `index` < max_features was checked by the caller.
  bool SetFeature(std::int32_t index, std::string_view name, std::string_view text);
  bool Fail(std::string message);
  // Takes the row in, or deals with its error as the options say: a returned error ends the
  // reading.
  absl::Status End(std::int32_t feature_count);

  // A place for text that is not in the buffer as it should be (escapes); valid until ClearRows.
  std::string& NewText() { return texts_.emplace_back(); }

  absl::Status Error(std::int64_t line, std::string_view message) const;
  const ReadOptions& options() const { return options_; }
  const EventRows& rows() const { return rows_; }
  ReadReport& report() { return report_; }
  const ReadReport& report() const { return report_; }

 private:
  bool SetKey(std::string_view name, std::string_view key, std::string_view& field);
  bool ReadNumber(std::string_view name, std::string_view text, float& number);

  std::string file_;
  ReadOptions options_;
  EventRows rows_;
  ReadReport report_;
  std::deque<std::string> texts_;

  // The row at hand.
  std::int64_t line_ = 0;
  std::string error_;
  std::string_view source_;
  std::string_view target_;
  graph::TimeUs time_us_ = graph::kBeforeAllTime;
  float label_ = 0.0f;
  std::vector<float> feature_;
  std::int32_t feature_count_ = 0;  // values set
};

}  // namespace weft::operators::io
