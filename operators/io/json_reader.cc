#include "operators/io/json_reader.h"

#include <algorithm>
#include <charconv>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/nearest_name.h"

namespace weft::operators::io {
namespace {

constexpr std::size_t kMaxUnusedNames = 32;

// The index that a field's name stands for as a feature; -1 for other names.
std::int64_t FeatureIndex(std::string_view name, const std::vector<std::string>& features) {
  if (!features.empty()) {
    const auto place = std::find(features.begin(), features.end(), name);
    return place == features.end() ? -1 : place - features.begin();
  }
  std::int64_t number = -1;
  if (name.size() < 2 || name.size() > 10 || name[0] != 'f') return -1;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 1, end, number);
  return error == std::errc() && stop == end && number >= 0 ? number : -1;
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// Whether a token is a string in quotes, without escapes: its text is then what lies between them.
bool IsPlainString(std::string_view token) {
  return token.size() >= 2 && token.back() == '"' && token.find('\\') == std::string_view::npos;
}

}  // namespace

bool JsonReader::NumberText(std::string_view name, Value value, std::string_view& text) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS)
    return rows_.Fail(graph::Concat(name, ": expected a number, got broken JSON"));
  if (type != simdjson::ondemand::json_type::number) {
    return rows_.Fail(graph::Concat(name, ": expected a number, got another type"));
  }
  text = TrimEnd(value.raw_json_token());
  return true;
}

bool JsonReader::Text(std::string_view name, Value value, std::string_view& text) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return rows_.Fail(graph::Concat(name, ": expected a string or a number, got broken JSON"));
  }
  if (type == simdjson::ondemand::json_type::number) {
    text = TrimEnd(value.raw_json_token());
    return true;
  }
  const std::string_view raw = TrimEnd(value.raw_json_token());
  if (type == simdjson::ondemand::json_type::string && IsPlainString(raw)) {
    text = raw.substr(1, raw.size() - 2);
    return true;
  }
  std::string_view unescaped;
  if (type != simdjson::ondemand::json_type::string ||
      value.get_string().get(unescaped) != simdjson::SUCCESS) {
    return rows_.Fail(graph::Concat(
        name, ": expected a string or a number, got another type or a broken string"));
  }
  // The parser's own copy lives only until its next document.
  text = rows_.NewText() = std::string(unescaped);
  return true;
}

bool JsonReader::TakeFeatures(Value value) {
  simdjson::ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS)
    return rows_.Fail("f: expected an array of numbers, got another type");
  for (auto element : array) {
    Value number;
    std::string_view text;
    if (element.get(number) != simdjson::SUCCESS)
      return rows_.Fail("f: expected an array of numbers, got broken JSON");
    if (row_features_ >= rows_.options().limits.max_features) {
      return rows_.Fail(graph::Concat("f: expected at most ", rows_.options().limits.max_features,
                                      " features (max_features), got more"));
    }
    if (!NumberText("f", number, text) || !rows_.SetFeature(row_features_++, "f", text))
      return false;
  }
  return true;
}

void JsonReader::NoteUnused(std::string_view name) {
  if (unused_.size() >= kMaxUnusedNames ||
      std::find(unused_.begin(), unused_.end(), name) != unused_.end()) {
    return;
  }
  unused_.emplace_back(name);
  const FieldNames& names = rows_.options().names;
  const std::vector<std::string> known = {names.source, names.target, names.time, names.label, "f"};
  rows_.report().unused_columns.push_back(graph::Concat(name, DidYouMean(name, known)));
}

bool JsonReader::TakeField(std::string_view name, Value value) {
  const FieldNames& names = rows_.options().names;
  std::string_view text;
  if (name == names.source) return Text(name, value, text) && rows_.SetSource(text);
  if (name == names.target) return Text(name, value, text) && rows_.SetTarget(text);
  if (name == names.time) return Text(name, value, text) && rows_.SetTime(text);
  if (name == names.label) {
    rows_.report().has_label = true;
    return NumberText(name, value, text) && rows_.SetLabel(text);
  }
  if (names.features.empty() && name == "f") return TakeFeatures(value);
  const std::int64_t index = FeatureIndex(name, names.features);
  if (index < 0) {
    NoteUnused(name);
    return true;
  }
  if (index >= rows_.options().limits.max_features) {
    return rows_.Fail(graph::Concat("expected at most ", rows_.options().limits.max_features,
                                    " features (max_features), got ", name));
  }
  if (!NumberText(name, value, text)) return false;
  row_features_ = std::max(row_features_, static_cast<std::int32_t>(index) + 1);
  return rows_.SetFeature(static_cast<std::int32_t>(index), name, text);
}

void JsonReader::ParseRecord(std::string_view text) {
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  row_features_ = 0;
  const simdjson::padded_string_view padded(text, text.size() + RecordBuffer::kPaddingBytes);
  if (parser_.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    rows_.Fail("expected a JSON object, got something else");
    return;
  }
  for (simdjson::simdjson_result<simdjson::ondemand::field> member : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (std::move(member).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      rows_.Fail("expected a whole JSON object, got a broken one");
      return;
    }
    if (!TakeField(name, field.value())) return;
  }
  if (feature_count_ >= 0 && row_features_ != feature_count_) {
    rows_.Fail(graph::Concat("expected ", feature_count_, " features as in the first event, got ",
                             row_features_));
  }
  // Whatever is left must be blank.
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    rows_.Fail("expected one JSON object, got more text after it");
  }
}

absl::StatusOr<const EventRows*> JsonReader::Next(std::int64_t max_rows) {
  rows_.ClearRows();
  RecordBuffer::Record record;
  while (pending_.ok() && rows_.rows().size() < max_rows) {
    if (!buffer_.Next(record)) {
      if (rows_.rows().size() > 0) break;  // their keys lie in the buffer
      const absl::StatusOr<bool> more = buffer_.Refill();
      if (!more.ok()) return rows_.Error(buffer_.line(), std::string(more.status().message()));
      if (!*more) break;
      continue;
    }
    if (TrimEnd(record.text).empty() && !record.too_long) continue;
    rows_.Begin(record.line);
    if (record.too_long) {
      rows_.Fail(graph::Concat("expected a record of at most ",
                               rows_.options().limits.max_line_bytes,
                               " bytes (max_line_bytes), got more"));
    } else {
      ParseRecord(record.text);
    }
    const std::int64_t broken = rows_.report().broken_lines;
    pending_ = rows_.End(feature_count_ < 0 ? row_features_ : feature_count_);
    if (!pending_.ok()) break;
    if (feature_count_ < 0 && rows_.report().broken_lines == broken) feature_count_ = row_features_;
  }
  rows_.report().bytes = buffer_.bytes_read();
  if (!pending_.ok() && rows_.rows().size() == 0) return pending_;
  return &rows_.rows();
}

}  // namespace weft::operators::io
