#include "operators/io/mapped_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/csv_fields.h"
#include "operators/io/nearest_name.h"

namespace weft::operators::io {
namespace {

using graph::Concat;

constexpr std::size_t kMostColumns = 65'536;
constexpr graph::TimeUs kDefaultEveryUs = 1'000'000;
constexpr std::int64_t kMostRepeats = 100'000;

// Keeps the first error.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(std::string_view path) : path_(path) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text_.empty()) text_ = Concat(path_, ":", line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string_view path_;
  std::string text_;
};

absl::Status CheckMapping(const v1::InputMapping& mapping, std::string_view path) {
  const auto wrong = [path](auto... parts) {
    return absl::InvalidArgumentError(Concat(path, ": ", parts...));
  };
  if (mapping.time().empty()) return wrong("time: expected the name of a column");
  if (!mapping.time_unit().empty() && !ParseTimeUnit(mapping.time_unit()))
    return wrong("time_unit: expected s, ms, us or ns, got ", mapping.time_unit());
  if (mapping.time_scale() < 0)
    return wrong("time_scale: expected 1 or more, got ", mapping.time_scale());
  if (mapping.event_size() == 0) return wrong("event: expected at least one");
  for (const v1::MappedEvent& event : mapping.event()) {
    const bool has_ends = !event.source().empty() && !event.target().empty();
    const bool has_none = event.source().empty() && event.target().empty();
    if (event.matrix().empty() ? !has_ends : !has_none)
      return wrong("event: expected source and target, or else matrix");
    if (event.every_us() < 0) return wrong("every_us: expected 1 or more, got ", event.every_us());
    if (event.every_us() > 0 && event.until().empty())
      return wrong("every_us: expected until as well");
  }
  return absl::OkStatus();
}

// The parts of "{source}_TO_{target}".
bool SplitForm(std::string_view form, std::string_view (&parts)[3]) {
  constexpr std::string_view kSource = "{source}", kTarget = "{target}";
  const std::size_t source = form.find(kSource);
  const std::size_t target = form.find(kTarget);
  if (source == std::string_view::npos || target == std::string_view::npos || target < source)
    return false;
  parts[0] = form.substr(0, source);
  parts[1] = form.substr(source + kSource.size(), target - source - kSource.size());
  parts[2] = form.substr(target + kTarget.size());
  return !parts[1].empty();
}

bool IsNothing(std::string_view field) {
  return field.find_first_not_of("0.+-") == std::string_view::npos;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const v1::InputMapping>> ParseInputMapping(std::string_view text,
                                                                          std::string_view path) {
  auto mapping = std::make_shared<v1::InputMapping>();
  FirstError error(path);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), mapping.get()))
    return absl::InvalidArgumentError(error.text());
  WEFT_TRY(CheckMapping(*mapping, path));
  return mapping;
}

absl::StatusOr<std::unique_ptr<EventReader>> MappedReader::Open(std::string file,
                                                                RecordBuffer buffer,
                                                                const ReadOptions& options) {
  ReadOptions read = options;
  const v1::InputMapping& mapping = *options.mapping;
  read.names.time = mapping.time();
  read.time_unit = ParseTimeUnit(mapping.time_unit()).value_or(TimeUnit::kSeconds);
  read.time_scale = std::max<std::int64_t>(1, mapping.time_scale());
  read.names.source = "source";
  read.names.target = "target";
  std::unique_ptr<MappedReader> reader(new MappedReader(std::move(file), std::move(buffer), read));
  WEFT_TRY(reader->ReadHeader());
  return reader;
}

absl::Status MappedReader::ReadHeader() {
  WEFT_ASSIGN(CsvHeader header,
              ReadCsvHeader(buffer_, rows_, kMostColumns,
                            Concat("expected at most ", kMostColumns, " columns, got more")));
  delimiter_ = header.delimiter;
  columns_ = std::move(header.names);
  return Compile();
}

absl::StatusOr<std::size_t> MappedReader::ColumnOf(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
  return rows_.Error(1, Concat("expected a column ", name, DidYouMean(name, columns_),
                               ", got columns ", absl::StrJoin(columns_, ", ")));
}

absl::Status MappedReader::Compile() {
  const v1::InputMapping& mapping = *rows_.options().mapping;
  WEFT_ASSIGN(time_column_, ColumnOf(mapping.time()));
  for (const v1::MappedEvent& event : mapping.event())
    WEFT_TRY(CompileRule(event, rules_.emplace_back()));
  return absl::OkStatus();
}

absl::Status MappedReader::CompileRule(const v1::MappedEvent& event, Rule& rule) const {
  for (const v1::RowCondition& condition : event.when()) {
    WEFT_ASSIGN(const std::size_t column, ColumnOf(condition.column()));
    const bool equals = condition.test_case() == v1::RowCondition::kEquals;
    rule.when.push_back({column, equals, equals ? condition.equals() : condition.differs()});
  }
  if (event.has_split()) {
    WEFT_ASSIGN(rule.split_column, ColumnOf(event.split().column()));
    rule.splits = true;
    rule.split_at = event.split().at();
  }
  WEFT_ASSIGN(rule.source, CompileText(event.source()));
  WEFT_ASSIGN(rule.target, CompileText(event.target()));
  WEFT_ASSIGN(rule.on_change, CompileText(event.on_change()));
  if (!event.until().empty()) {
    WEFT_ASSIGN(rule.until_column, ColumnOf(event.until()));
    rule.lasts = true;
    rule.every_us = event.every_us() == 0 ? kDefaultEveryUs : event.every_us();
  }
  return event.matrix().empty() ? absl::OkStatus() : CompileMatrix(event.matrix(), rule);
}

absl::Status MappedReader::CompileMatrix(const std::string& form, Rule& rule) const {
  std::string_view parts[3];
  if (!SplitForm(form, parts))
    return absl::InvalidArgumentError(
        Concat("matrix: expected a form as {source}_TO_{target}, got ", form));
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::string_view name = columns_[column];
    if (!name.starts_with(parts[0]) || !name.ends_with(parts[2])) continue;
    name.remove_prefix(parts[0].size());
    name.remove_suffix(std::min(name.size(), parts[2].size()));
    const std::size_t middle = name.find(parts[1]);
    if (middle == std::string_view::npos) continue;
    rule.matrix.push_back({column, std::string(name.substr(0, middle)),
                           std::string(name.substr(middle + parts[1].size()))});
  }
  if (!rule.matrix.empty()) return absl::OkStatus();
  return rows_.Error(1, Concat("expected columns of the form ", form, ", got columns ",
                               absl::StrJoin(columns_, ", ")));
}

absl::StatusOr<MappedReader::Template> MappedReader::CompileText(const std::string& text) const {
  Template pieces;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    if (open != 0) {
      pieces.push_back({Piece::kText, std::string(rest.substr(0, open)), {}});
      rest.remove_prefix(std::min(open, rest.size()));
      continue;
    }
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos)
      return absl::InvalidArgumentError(Concat("expected } after { in a mapping, got ", text));
    std::string_view names = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    Piece& piece = pieces.emplace_back();
    piece.kind = names == "before"     ? Piece::kBefore
                 : names == "after"    ? Piece::kAfter
                 : names == "previous" ? Piece::kPrevious
                                       : Piece::kColumns;
    while (piece.kind == Piece::kColumns && !names.empty()) {
      const std::string_view name = names.substr(0, names.find('|'));
      WEFT_ASSIGN(const std::size_t column, ColumnOf(name));
      piece.columns.push_back(column);
      names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
  }
  return pieces;
}

std::string MappedReader::Expand(const Template& pieces, const Rule& rule) const {
  std::string text;
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Piece::kText:
        text += piece.text;
        break;
      case Piece::kBefore:
        text += rule.before;
        break;
      case Piece::kAfter:
        text += rule.after;
        break;
      case Piece::kPrevious:
        text += rule.previous;
        break;
      case Piece::kColumns:
        for (const std::size_t column : piece.columns) {
          text += fields_[column];
          if (!fields_[column].empty()) break;
        }
        break;
    }
  }
  return text;
}

bool MappedReader::Applies(Rule& rule) {
  for (const Condition& condition : rule.when)
    if ((fields_[condition.column] == condition.value) != condition.equals) return false;
  if (rule.splits) {
    const std::string_view field = fields_[rule.split_column];
    const std::size_t at = field.find(rule.split_at);
    if (at == std::string_view::npos) return false;
    rule.before = field.substr(0, at);
    rule.after = field.substr(at + rule.split_at.size());
  }
  return true;
}

bool MappedReader::SetEnds(std::string_view source, std::string_view target) {
  return rows_.SetSource(rows_.NewText().assign(source)) &&
         rows_.SetTarget(rows_.NewText().assign(target));
}

void MappedReader::Emit(std::int64_t line, const Rule& rule, std::string_view source,
                        std::string_view target) {
  // The first error of a line is the one that is told.
  if (source.empty() || target.empty() || !pending_.ok()) return;
  if (rule.lasts) return EmitWhileItLasts(line, rule, source, target);
  rows_.Begin(line);
  if (SetEnds(source, target)) rows_.SetTime(fields_[time_column_]);
  pending_ = rows_.End(0);
}

void MappedReader::EmitWhileItLasts(std::int64_t line, const Rule& rule, std::string_view source,
                                    std::string_view target) {
  rows_.Begin(line);
  const auto begin_us = rows_.TimeOf(rows_.options().names.time, fields_[time_column_]);
  const auto end_us = begin_us
                          ? rows_.TimeOf(columns_[rule.until_column], fields_[rule.until_column])
                          : std::nullopt;
  if (end_us && *end_us > *begin_us && (*end_us - *begin_us) / rule.every_us >= kMostRepeats)
    rows_.Fail(Concat(columns_[rule.until_column], ": expected at most ", kMostRepeats,
                      " events of a row, got more"));
  graph::TimeUs time_us = begin_us.value_or(0);
  do {
    if (begin_us && end_us && SetEnds(source, target)) rows_.SetTimeUs(time_us);
    pending_ = rows_.End(0);
    if (!begin_us || !end_us || !pending_.ok()) return;
    time_us += rule.every_us;
    rows_.Begin(line);
  } while (time_us < *end_us);
}

void MappedReader::TakeLine(std::int64_t line, std::string_view text) {
  rows_.Begin(line);
  fields_.clear();
  bool more = true;
  while (more && fields_.size() < columns_.size()) {
    std::string_view field;
    if (!NextField(delimiter_, text, more, field, rows_)) break;
    fields_.push_back(field);
  }
  if (more || fields_.size() < columns_.size()) {
    rows_.Fail(Concat("expected ", columns_.size(), " fields, got ",
                      more ? "more" : Concat(fields_.size())));
    pending_ = rows_.End(0);
    return;
  }
  for (Rule& rule : rules_) {
    if (!Applies(rule)) continue;
    for (const auto& [column, source, target] : rule.matrix)
      if (!IsNothing(fields_[column])) Emit(line, rule, source, target);
    if (!rule.matrix.empty()) continue;
    if (rule.on_change.empty()) {
      Emit(line, rule, Expand(rule.source, rule), Expand(rule.target, rule));
      continue;
    }
    std::string now = Expand(rule.on_change, rule);
    rule.previous = rule.last;
    if (rule.has_last && now != rule.last)
      Emit(line, rule, Expand(rule.source, rule), Expand(rule.target, rule));
    rule.has_last = true;
    rule.last = std::move(now);
  }
}

absl::StatusOr<const EventRows*> MappedReader::Next(std::int64_t max_rows) {
  rows_.ClearRows();
  RecordBuffer::Record record;
  while (pending_.ok() && rows_.rows().size() < max_rows) {
    if (!buffer_.Next(record)) {
      // Keys do not lie in the buffer.
      WEFT_ASSIGN(const bool more, buffer_.Refill());
      if (!more) break;
      continue;
    }
    if (record.text.empty() && !record.too_long) continue;
    if (record.too_long) {
      rows_.Begin(record.line);
      rows_.Fail(Concat("expected a line of at most ", rows_.options().limits.max_line_bytes,
                        " bytes (max_line_bytes), got more"));
      pending_ = rows_.End(0);
    } else {
      TakeLine(record.line, record.text);
    }
  }
  rows_.report().bytes = buffer_.bytes_read();
  if (!pending_.ok() && rows_.rows().size() == 0) return pending_;
  return &rows_.rows();
}

}  // namespace weft::operators::io
