#include "operators/io/csv_fields.h"

#include <algorithm>

#include "graph/check.h"

namespace weft::operators::io {
namespace {

char FindDelimiter(std::string_view header) {
  char best = ',';
  for (const char c : {';', '\t'}) {
    if (std::count(header.begin(), header.end(), c) >
        std::count(header.begin(), header.end(), best)) {
      best = c;
    }
  }
  return best;
}

}  // namespace

absl::StatusOr<CsvHeader> ReadCsvHeader(RecordBuffer& buffer, RowBuilder& rows, std::size_t most,
                                        std::string_view too_many) {
  RecordBuffer::Record record;
  std::string_view line;
  while (line.empty()) {
    if (!buffer.Next(record)) {
      WEFT_ASSIGN(const bool more, buffer.Refill());
      if (!more)
        return rows.Error(1, "expected a header line with column names, got an empty file");
      continue;
    }
    if (record.too_long)
      return rows.Error(record.line, "expected a header, got a line over max_line_bytes");
    line = Trim(record.text);
  }
  CsvHeader header{record.line, FindDelimiter(line), {}};
  rows.Begin(record.line);
  for (bool more = true; more;) {
    std::string_view field;
    if (!NextField(header.delimiter, line, more, field, rows))
      return rows.Error(record.line, "expected column names, got a broken quoted field");
    header.names.emplace_back(field);
    if (header.names.size() > most) return rows.Error(record.line, too_many);
  }
  rows.ClearRows();
  return header;
}

bool QuotedField(char delimiter, std::string_view& rest, bool& more, std::string_view& field,
                 RowBuilder& rows) {
  std::size_t end = rest.find('"', 1);
  bool doubled = false;
  while (end != std::string_view::npos && end + 1 < rest.size() && rest[end + 1] == '"') {
    doubled = true;
    end = rest.find('"', end + 2);
  }
  if (end == std::string_view::npos)
    return rows.Fail("expected \" at the end of a quoted field, got the end of the line");
  field = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  more = !rest.empty();
  if (more && rest.front() != delimiter) {
    return rows.Fail("expected a delimiter after a quoted field, got more text");
  }
  if (more) rest.remove_prefix(1);
  if (doubled) {
    std::string& text = rows.NewText();
    for (std::size_t i = 0; i < field.size(); ++i) {
      text += field[i];
      if (field[i] == '"') ++i;
    }
    field = text;
  }
  return true;
}

}  // namespace weft::operators::io
