// EventReader: reads files of events (CSV, JSON Lines, a JSON array of objects) row by row, with
// bounded memory.
//
//   WEFT_ASSIGN(auto reader, EventReader::Open("events.csv", {}));
//   for (;;) {
//     WEFT_ASSIGN(const EventRows* rows, reader->Next(4096));
//     if (rows->size() == 0) break;
//     ...
//   }
//
// CSV: a header names the columns, in any order: src, dst, ts, and optionally label, f0, f1, ...
// Comma, semicolon or tab (whichever the header uses); fields may be quoted as in RFC 4180, but not
// span lines; blanks around an unquoted field do not belong to it; empty lines are skipped; \n and
// \r\n both end a line. JSON: one object a line, or one array of objects,
// {"src": "a", "dst": 7, "ts": 12.5, "label": 0, "f": [1, 2]}, where the features may also be "f0",
// "f1", ... Other fields are not used; the report names them. Times: see time_text.h.
//
// Errors are INVALID_ARGUMENT as `file:line: what was expected, got what came`; NOT_FOUND and
// PERMISSION_DENIED for a file that cannot be opened. One reader is used from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/time.h"
#include "operators/io/time_text.h"

namespace weft::operators::io {

namespace v1 {
class InputMapping;  // weft/operators/io/v1/input_mapping.proto
}

enum class FileFormat {
  kAuto,
  kCsv,
  kJson
};  // kAuto: JSON when the first byte that is not blank is { or [

enum class BrokenLine {
  kFail,   // the first one is the error of Next
  kCount,  // it is left out and counted; the report holds the first ones
};

// How the fields of an event are called in the file.
struct FieldNames {
  std::string source = "src";
  std::string target = "dst";
  std::string time = "ts";
  std::string label = "label";
  // In feature order; empty: f0, f1, ... without holes.
  std::vector<std::string> features;
};

struct ReadLimits {
  std::int32_t max_key_bytes = 256;
  std::int32_t max_features = 1024;
  std::int64_t max_line_bytes = 1 << 20;
  std::int32_t max_reported_lines = 20;
};

struct ReadOptions {
  FileFormat format = FileFormat::kAuto;
  BrokenLine broken_line = BrokenLine::kFail;
  TimeUnit time_unit = TimeUnit::kSeconds;
  FieldNames names;
  ReadLimits limits;
  // Times are multiplied by it.
  std::int64_t time_scale = 1;
  // If set, rows of CSV become events in this way, and `names` are not used (mapped_reader.h).
  std::shared_ptr<const v1::InputMapping> mapping;
};

// Rows in file order. Keys point into the reader's buffer: everything is valid until the next call
// of Next.
struct EventRows {
  std::vector<std::string_view> source;
  std::vector<std::string_view> target;
  std::vector<graph::TimeUs> time_us;
  std::vector<float> label;        // one a row, 0 where the file has none
  std::vector<float> feature;      // feature_count a row
  std::vector<std::int64_t> line;  // of the file, from 1
  std::int32_t feature_count = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(source.size()); }
  void Clear();
};

// What was met so far.
struct ReadReport {
  std::int64_t rows = 0;
  std::int64_t broken_lines = 0;
  std::vector<std::string> first_broken;    // messages `file:line: ...`
  std::vector<std::string> unused_columns;  // "lable (did you mean label?)", each once
  std::int64_t bytes = 0;
  bool has_label = false;
};

// Gives bytes to a reader: fills `buffer` as far as it can and returns how many bytes came, 0 at
// the end.
using ByteSource = std::function<absl::StatusOr<std::size_t>(std::span<char> buffer)>;

class EventReader {
 public:
  // `path` "-" is standard input. Reads as far as needed to know the columns.
  static absl::StatusOr<std::unique_ptr<EventReader>> Open(const std::string& path,
                                                           const ReadOptions& options);
  // The same from any bytes; `name` stands for the path in messages.
  static absl::StatusOr<std::unique_ptr<EventReader>> Open(std::string name, ByteSource bytes,
                                                           const ReadOptions& options);
  virtual ~EventReader() = default;

  // Up to `max_rows` further rows (at least one unless the file has ended). The result belongs to
  // the reader.
  virtual absl::StatusOr<const EventRows*> Next(std::int64_t max_rows) = 0;

  // Features of every row; for JSON known with the first row, 0 before.
  virtual std::int32_t feature_count() const = 0;
  virtual const ReadReport& report() const = 0;
};

// The bytes of a file (or of standard input, for "-") with its size in bytes, -1 where that is not
// known.
struct OpenedFile {
  ByteSource bytes;
  std::int64_t size_bytes = -1;
};
absl::StatusOr<OpenedFile> OpenFile(const std::string& path);

}  // namespace weft::operators::io
