#include "operators/io/row_builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "graph/text.h"

namespace weft::operators::io {
namespace {

constexpr float kNotSet = std::numeric_limits<float>::quiet_NaN();

// What came, for a message: cut, and without bytes that could upset a terminal.
std::string Shown(std::string_view text) {
  constexpr std::size_t kMaxBytes = 40;
  std::string shown;
  for (const char c : text.substr(0, kMaxBytes)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return text.size() > kMaxBytes ? graph::Concat("\"", shown, "\"...")
                                 : graph::Concat("\"", shown, "\"");
}

}  // namespace

void EventRows::Clear() {
  source.clear();
  target.clear();
  time_us.clear();
  label.clear();
  feature.clear();
  line.clear();
}

void RowBuilder::ClearRows() {
  rows_.Clear();
  texts_.clear();
}

void RowBuilder::Begin(std::int64_t line) {
  line_ = line;
  error_.clear();
  source_ = target_ = {};
  time_us_ = graph::kBeforeAllTime;
  label_ = 0.0f;
  feature_count_ = 0;
  std::fill(feature_.begin(), feature_.end(), kNotSet);
}

bool RowBuilder::Fail(std::string message) {
  if (error_.empty()) error_ = std::move(message);
  return false;
}

bool RowBuilder::SetKey(std::string_view name, std::string_view key, std::string_view& field) {
  if (key.empty()) return Fail(graph::Concat(name, ": expected a node key, got nothing"));
  if (key.size() > static_cast<std::size_t>(options_.limits.max_key_bytes)) {
    return Fail(graph::Concat(name, ": expected a key of at most ", options_.limits.max_key_bytes,
                              " bytes (max_key_bytes), got ", key.size(), " bytes"));
  }
  field = key;
  return true;
}

std::optional<graph::TimeUs> RowBuilder::TimeOf(std::string_view name, std::string_view text) {
  graph::TimeUs time_us = 0, scaled_us = 0;
  if (ParseTime(text, options_.time_unit, time_us) &&
      !__builtin_mul_overflow(time_us, options_.time_scale, &scaled_us))
    return scaled_us;
  Fail(graph::Concat(name, ": expected a number of ", TimeUnitName(options_.time_unit),
                     " or an ISO-8601 time, got ", Shown(text)));
  return std::nullopt;
}

bool RowBuilder::SetTime(std::string_view text) {
  const auto time_us = TimeOf(options_.names.time, text);
  if (time_us) time_us_ = *time_us;
  return time_us.has_value();
}

bool RowBuilder::ReadNumber(std::string_view name, std::string_view text, float& number) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error == std::errc() && stop == end && begin != end && std::isfinite(number)) return true;
  return Fail(graph::Concat(name, ": expected a finite number, got ", Shown(text)));
}

bool RowBuilder::SetFeature(std::int32_t index, std::string_view name, std::string_view text) {
  const auto place = static_cast<std::size_t>(index);
  if (feature_.size() <= place) feature_.resize(place + 1, kNotSet);
  if (!std::isnan(feature_[place]))
    return Fail(graph::Concat(name, ": expected it once, got it twice"));
  ++feature_count_;
  return ReadNumber(name, text, feature_[place]);
}

absl::Status RowBuilder::Error(std::int64_t line, std::string_view message) const {
  return absl::InvalidArgumentError(graph::Concat(file_, ":", line, ": ", message));
}

absl::Status RowBuilder::End(std::int32_t feature_count) {
  if (error_.empty()) {
    const ReadOptions& options = options_;
    if (source_.empty()) {
      Fail(graph::Concat("expected a field ", options.names.source, ", got none"));
    } else if (target_.empty()) {
      Fail(graph::Concat("expected a field ", options.names.target, ", got none"));
    } else if (time_us_ == graph::kBeforeAllTime) {
      Fail(graph::Concat("expected a field ", options.names.time, ", got none"));
    } else if (feature_count_ != feature_count) {
      Fail(graph::Concat("expected ", feature_count, " features as in the first event, got ",
                         feature_count_));
    }
  }
  if (!error_.empty()) {
    if (options_.broken_line == BrokenLine::kFail) return Error(line_, error_);
    ++report_.broken_lines;
    if (static_cast<std::int64_t>(report_.first_broken.size()) <
        options_.limits.max_reported_lines) {
      report_.first_broken.push_back(std::string(Error(line_, error_).message()));
    }
    return absl::OkStatus();
  }
  rows_.source.push_back(source_);
  rows_.target.push_back(target_);
  rows_.time_us.push_back(time_us_);
  rows_.label.push_back(label_);
  rows_.line.push_back(line_);
  rows_.feature_count = feature_count;
  rows_.feature.insert(rows_.feature.end(), feature_.begin(), feature_.begin() + feature_count);
  ++report_.rows;
  return absl::OkStatus();
}

}  // namespace weft::operators::io
