#include "operators/io/json_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace weft::operators::io {
namespace {

bool IsContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u;
}

// Bytes of the well-formed UTF-8 character that begins at `at` (RFC 3629), 0 if there is none.
std::size_t CharacterBytes(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0u;
  if (first >= 0xc2 && first <= 0xdf) return IsContinuation(text, at + 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    const bool whole = IsContinuation(text, at + 1) && IsContinuation(text, at + 2);
    return whole && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool too_large = first == 0xf4 && second >= 0x90;
    const bool whole = IsContinuation(text, at + 1) && IsContinuation(text, at + 2) &&
                       IsContinuation(text, at + 3);
    return whole && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

template <class Number>
void AppendNumber(std::string& json, Number number) {
  if (!std::isfinite(number)) {
    json += "null";
    return;
  }
  char digits[48];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  json.append(digits, end);
}

}  // namespace

void AppendJsonString(std::string& json, std::string_view text) {
  json += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += text[i++];
    } else if (c < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      json += escape;
      ++i;
    } else if (const std::size_t bytes = CharacterBytes(text, i); bytes > 0) {
      json.append(text, i, bytes);
      i += bytes;
    } else {
      json += "\xEF\xBF\xBD";
      ++i;
    }
  }
  json += '"';
}

void AppendJsonNumber(std::string& json, double number) { AppendNumber(json, number); }

void AppendJsonNumber(std::string& json, float number) { AppendNumber(json, number); }

}  // namespace weft::operators::io
