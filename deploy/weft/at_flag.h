// The flag --at of every subcommand that answers as of a past time.
#pragma once

#include <optional>
#include <string>

#include "deploy/weft/command_line.h"
#include "graph/time.h"

namespace weft::deploy {

// Adds --at TIME, ISO-8601 or microseconds since 1970, to `command`. `at_us` outlives it.
void AddAtFlag(Command command, const std::string& description,
               std::optional<graph::TimeUs>& at_us);

}  // namespace weft::deploy
