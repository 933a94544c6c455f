// The fields of a CSV line.
#pragma once

#include <string_view>

#include "operators/io/row_builder.h"

namespace weft::operators::io {

// Without the blanks around it.
inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The delimiter that a header uses most of comma, semicolon and tab; a comma if none.
char FindDelimiter(std::string_view header);

// Takes the next field off `rest`; `more` says whether another one follows. False after an error,
// which `rows` has noted. What was quoted with doubled quotes lies in the rows' text.
bool QuotedField(char delimiter, std::string_view& rest, bool& more, std::string_view& field,
                 RowBuilder& rows);
inline bool NextField(char delimiter, std::string_view& rest, bool& more, std::string_view& field,
                      RowBuilder& rows) {
  if (!rest.empty() && rest.front() == '"') return QuotedField(delimiter, rest, more, field, rows);
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != delimiter) ++end;
  more = end < rest.size();
  field = Trim(rest.substr(0, end));
  rest.remove_prefix(more ? end + 1 : end);
  return true;
}

}  // namespace weft::operators::io
