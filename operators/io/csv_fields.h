// The fields of a CSV line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/io/record_buffer.h"
#include "operators/io/row_builder.h"

namespace weft::operators::io {

// Without the blanks around it.
inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct CsvHeader {
  std::int64_t line = 1;  // of the file
  char delimiter = ',';   // which of comma, semicolon and tab it uses most; a comma if none
  std::vector<std::string> names;
};

// The first line that is not blank. INVALID_ARGUMENT that says where for none, one that is broken,
// and one with more than `most` columns, which is `too_many`.
absl::StatusOr<CsvHeader> ReadCsvHeader(RecordBuffer& buffer, RowBuilder& rows, std::size_t most,
                                        std::string_view too_many);

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
