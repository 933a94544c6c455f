// The flags of every subcommand that reads a file of events.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "deploy/weft/command_line.h"
#include "operators/io/event_reader.h"

namespace weft::deploy {

struct InputFlags {
  std::string preset;
  std::string format = "auto";
  std::string time_unit;
  std::vector<std::string> columns;  // "src=from"
  std::string mapping;               // a file
  bool lenient = false;
};

void AddInputFlags(Command command, InputFlags& flags);

// INVALID_ARGUMENT for a wrong flag.
absl::StatusOr<operators::io::ReadOptions> ReadOptionsFrom(const InputFlags& flags);

// Says on stderr what a report holds that the user should know: columns left out, lines left out.
void PrintNotes(const std::string& path, const operators::io::ReadReport& report);

}  // namespace weft::deploy
