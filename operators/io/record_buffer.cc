#include "operators/io/record_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "graph/check.h"

namespace weft::operators::io {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

RecordBuffer::RecordBuffer(ByteSource bytes, std::int64_t max_record_bytes)
    : bytes_(std::move(bytes)),
      max_record_bytes_(max_record_bytes),
      buffer_(kBlockBytes + static_cast<std::size_t>(max_record_bytes) + kPaddingBytes) {}

absl::Status RecordBuffer::Read() {
  const std::size_t room = buffer_.size() - kPaddingBytes - end_;
  WEFT_ASSIGN(const std::size_t count,
              bytes_(std::span(buffer_.data() + end_, std::min(room, kBlockBytes))));
  if (count == 0) {
    ended_ = true;
    // What lies behind the last record must not depend on how the input came.
    std::memset(buffer_.data() + end_, 0, kPaddingBytes);
  }
  end_ += count;
  bytes_read_ += static_cast<std::int64_t>(count);
  return absl::OkStatus();
}

absl::StatusOr<char> RecordBuffer::Peek() {
  bool mark_checked = false;
  for (;;) {
    if (!mark_checked && (ended_ || end_ - begin_ >= 3)) {
      if (end_ - begin_ >= 3 && std::memcmp(buffer_.data() + begin_, "\xEF\xBB\xBF", 3) == 0)
        begin_ += 3;
      mark_checked = true;
    }
    if (mark_checked) {
      for (std::size_t i = begin_; i < end_; ++i) {
        if (!IsBlank(buffer_[i])) return buffer_[i];
      }
      // A long run of blank lines is no input that anyone means.
      if (ended_ || end_ - begin_ > kBlockBytes) return '\0';
    }
    WEFT_TRY(Read());
  }
}

absl::StatusOr<bool> RecordBuffer::Refill() {
  if (ended_) {
    if (kind_ == Kind::kArrayElements && !array_ended_) {
      return absl::InvalidArgumentError(
          "expected ] at the end of the array, got the end of the file");
    }
    return begin_ < end_ && kind_ == Kind::kLines;
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  WEFT_TRY(Read());
  return true;
}

bool RecordBuffer::Next(Record& record) {
  return kind_ == Kind::kLines ? NextLine(record) : NextElement(record);
}

bool RecordBuffer::NextLine(Record& record) {
  for (;;) {
    if (begin_ == end_) return false;
    const char* begin = buffer_.data() + begin_;
    const auto* newline = static_cast<const char*>(std::memchr(begin, '\n', end_ - begin_));
    if (newline == nullptr && !ended_) {
      if (static_cast<std::int64_t>(end_ - begin_) <= max_record_bytes_) return false;
      return GiveUpOnLongRecord(record);
    }
    const char* end = newline == nullptr ? buffer_.data() + end_ : newline;
    const bool rest_of_long_line = skipping_;
    skipping_ = false;
    begin_ = static_cast<std::size_t>(end - buffer_.data()) + (newline == nullptr ? 0 : 1);
    record.line = line_++;
    if (rest_of_long_line) continue;
    if (end > begin && end[-1] == '\r') --end;
    record.too_long = end - begin > max_record_bytes_;
    record.text = record.too_long ? std::string_view() : std::string_view(begin, end);
    return true;
  }
}

// Reports the line once, then drops its bytes as they come.
bool RecordBuffer::GiveUpOnLongRecord(Record& record) {
  begin_ = end_;
  if (skipping_) return false;
  skipping_ = true;
  record = {.text = {}, .line = line_, .too_long = true};
  return true;
}

std::size_t RecordBuffer::ScanElement() {
  for (std::size_t i = begin_ + scan_.scanned; i < end_; ++i) {
    const char c = buffer_[i];
    const bool first = !std::exchange(scan_.begun, true);
    if (scan_.escaped) {
      scan_.escaped = false;
    } else if (scan_.in_string) {
      scan_.escaped = c == '\\';
      scan_.in_string = c != '"';
    } else if (c == '"') {
      scan_.in_string = true;
    } else if (c == '{' || c == '[') {
      ++scan_.depth;
    } else if (scan_.depth == 0 && (c == '}' || c == ']' || c == ',')) {
      return first ? i + 1 : i;
    } else if (c == '}' || c == ']') {
      if (--scan_.depth == 0) return i + 1;
    }
  }
  scan_.scanned = end_ - begin_;
  return kNotWhole;
}

void RecordBuffer::SkipSeparators() {
  for (; begin_ < end_; ++begin_) {
    const char c = buffer_[begin_];
    if (c == '\n') ++line_;
    if (!array_begun_ && c == '[') {
      array_begun_ = true;
    } else if (!array_ended_ && array_begun_ && c == ']') {
      array_ended_ = true;
    } else if (!IsBlank(c) && (c != ',' || array_ended_)) {
      return;
    }
  }
}

bool RecordBuffer::NextElement(Record& record) {
  for (;;) {
    if (!skipping_) SkipSeparators();
    if (begin_ == end_) return false;
    const std::size_t found = ScanElement();
    const bool whole = found != kNotWhole;
    const std::size_t end = whole ? found : end_;
    const std::string_view text(buffer_.data() + begin_, end - begin_);
    const bool rest_of_long_element = skipping_;
    if (!rest_of_long_element) {
      const bool too_long = static_cast<std::int64_t>(text.size()) > max_record_bytes_;
      // The byte behind an element has to be there as well: the parser looks at it.
      if (end == end_ && !ended_ && !too_long) {
        if (whole) scan_ = {};
        return false;
      }
      record = {.text = too_long ? std::string_view() : text, .line = line_, .too_long = too_long};
    }
    line_ += std::count(text.begin(), text.end(), '\n');
    begin_ = end;
    skipping_ = !whole && !ended_;
    if (whole || ended_) {
      scan_ = {};
    } else {
      scan_.scanned = 0;
    }
    if (!rest_of_long_element) return true;
    if (skipping_) return false;
  }
}

}  // namespace weft::operators::io
