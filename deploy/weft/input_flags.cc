#include "deploy/weft/input_flags.h"

#include <cstdio>

#include "absl/strings/str_join.h"
#include "deploy/weft/graph_file.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/mapped_reader.h"
#include "operators/io/source_presets.h"

namespace weft::deploy {
namespace {

using operators::io::FieldNames;

absl::Status RenameColumn(const std::string& text, FieldNames& names) {
  const std::size_t equals = text.find('=');
  const std::string ours = text.substr(0, equals);
  std::string* const name = ours == "src"     ? &names.source
                            : ours == "dst"   ? &names.target
                            : ours == "ts"    ? &names.time
                            : ours == "label" ? &names.label
                                              : nullptr;
  if (equals == std::string::npos || name == nullptr) {
    return absl::InvalidArgumentError(
        graph::Concat("--columns: expected src=NAME, dst=NAME, ts=NAME or label=NAME, got ", text));
  }
  *name = text.substr(equals + 1);
  return absl::OkStatus();
}

}  // namespace

void AddInputFlags(Command command, InputFlags& flags) {
  const Command group = command.AddGroup("Input", "How the file is read");
  std::vector<std::string> presets;
  for (const auto& preset : operators::io::SourcePresets()) presets.push_back(preset.name);
  group.AddOption("--preset", flags.preset,
                  graph::Concat("Field names of a known file: ", absl::StrJoin(presets, ", ")));
  group.AddOption("--format", flags.format, "auto, csv or json (one object a line, or an array)")
      .OneOf({"auto", "csv", "json"});
  group
      .AddOption("--time-unit", flags.time_unit, "Unit of numeric times: s (default), ms, us or ns")
      .OneOf({"s", "ms", "us", "ns"});
  group
      .AddOption("--columns", flags.columns,
                 "Names in the file: src=NAME,dst=NAME,ts=NAME,label=NAME")
      .CommaSeparated();
  group.AddOption("--mapping", flags.mapping,
                  "How rows become events, where they are none: a file as in deploy/mappings");
  group.AddFlag("--lenient", flags.lenient,
                "Leave broken lines out and count them, instead of stopping");
}

absl::StatusOr<operators::io::ReadOptions> ReadOptionsFrom(const InputFlags& flags) {
  operators::io::ReadOptions options;
  if (!flags.preset.empty()) {
    WEFT_ASSIGN(const operators::io::SourcePreset* preset,
                operators::io::FindSourcePreset(flags.preset));
    options.format = preset->format;
    options.time_unit = preset->time_unit;
    options.names = preset->names;
  }
  if (flags.format == "csv") options.format = operators::io::FileFormat::kCsv;
  if (flags.format == "json") options.format = operators::io::FileFormat::kJson;
  if (const auto unit = operators::io::ParseTimeUnit(flags.time_unit)) options.time_unit = *unit;
  for (const std::string& column : flags.columns) WEFT_TRY(RenameColumn(column, options.names));
  if (!flags.mapping.empty()) {
    constexpr std::size_t kMaxMappingBytes = 1 << 20;
    WEFT_ASSIGN(const std::string text, ReadTextFile(flags.mapping, kMaxMappingBytes));
    WEFT_ASSIGN(options.mapping, operators::io::ParseInputMapping(text, flags.mapping));
  }
  if (flags.lenient) options.broken_line = operators::io::BrokenLine::kCount;
  return options;
}

void PrintNotes(const std::string& path, const operators::io::ReadReport& report) {
  if (!report.unused_columns.empty()) {
    std::fprintf(stderr, "weft: %s: not used: %s\n", path.c_str(),
                 absl::StrJoin(report.unused_columns, ", ").c_str());
  }
  for (const std::string& message : report.first_broken)
    std::fprintf(stderr, "weft: %s\n", message.c_str());
  if (report.broken_lines > 0) {
    std::fprintf(stderr, "weft: %s: %lld of %lld lines left out\n", path.c_str(),
                 static_cast<long long>(report.broken_lines),
                 static_cast<long long>(report.broken_lines + report.rows));
  }
}

}  // namespace weft::deploy
