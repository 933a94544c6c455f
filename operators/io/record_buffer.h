// RecordBuffer: cuts a stream of bytes into lines, or into the elements of one JSON array, inside a
// bounded buffer.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/io/event_reader.h"

namespace weft::operators::io {

class RecordBuffer {
 public:
  enum class Kind { kLines, kArrayElements };

  // One line without its end, or one element of the array. `too_long`: longer than
  // max_record_bytes; `text` is then empty.
  struct Record {
    std::string_view text;
    std::int64_t line = 0;  // of the file, from 1, where the record begins
    bool too_long = false;
  };

  // Bytes that may be read behind any record (simdjson does). The first of them is what follows in
  // the input, 0 at its end.
  static constexpr std::size_t kPaddingBytes = 64;

  RecordBuffer(ByteSource bytes, std::int64_t max_record_bytes);

  // The first byte that is not blank, 0 for an empty input. Call before the first Refill decides
  // what the input is; skips a byte order mark.
  absl::StatusOr<char> Peek();
  void set_kind(Kind kind) { kind_ = kind; }

  // Makes room and reads on; false when the input has ended and every record was given out. Records
  // given out before become invalid. INVALID_ARGUMENT for an array that does not end.
  absl::StatusOr<bool> Refill();
  // The next record that is whole in the buffer; false: Refill first.
  bool Next(Record& record);

  std::int64_t bytes_read() const { return bytes_read_; }
  std::int64_t line() const { return line_; }

 private:
  static constexpr std::size_t kNotWhole = std::string_view::npos;

  // How far the element of the array at hand was looked at.
  struct ElementScan {
    std::size_t scanned = 0;  // bytes behind begin_
    int depth = 0;            // of brackets and braces
    bool begun = false;
    bool in_string = false;
    bool escaped = false;  // the next character of the string
  };

  absl::Status Read();
  bool NextLine(Record& record);
  bool NextElement(Record& record);
  // What lies between the elements of the array.
  void SkipSeparators();
  // Goes on with the element at begin_: its end, or kNotWhole if that is not in the buffer yet. A
  // stray bracket or comma is an element, which is broken.
  std::size_t ScanElement();
  bool GiveUpOnLongRecord(Record& record);

  ByteSource bytes_;
  std::int64_t max_record_bytes_;
  Kind kind_ = Kind::kLines;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what was not given out
  std::size_t end_ = 0;
  bool ended_ = false;
  bool skipping_ = false;  // inside a record that is too long
  ElementScan scan_;
  bool array_begun_ = false;
  bool array_ended_ = false;
  std::int64_t line_ = 1;
  std::int64_t bytes_read_ = 0;
};

}  // namespace weft::operators::io
