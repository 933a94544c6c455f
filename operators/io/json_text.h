// Pieces of JSON, appended to a text: what the writers of JSON Lines use.
#pragma once

#include <string>
#include <string_view>

namespace weft::operators::io {

// In quotes, escaped. Bytes that are not UTF-8 become U+FFFD, so that the output is always JSON.
void AppendJsonString(std::string& json, std::string_view text);

// The shortest digits that give the number back; null for what is not finite.
void AppendJsonNumber(std::string& json, double number);
void AppendJsonNumber(std::string& json, float number);

}  // namespace weft::operators::io
