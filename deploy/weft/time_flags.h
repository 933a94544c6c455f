// Flags that are times.
#pragma once

#include <optional>
#include <string>

#include "deploy/weft/command_line.h"
#include "graph/time.h"

namespace weft::deploy {

// Adds NAME TIME, ISO-8601 or microseconds since 1970, to `command`. `time_us` outlives it.
Option AddTimeFlag(Command command, const std::string& name, const std::string& description,
                   std::optional<graph::TimeUs>& time_us);

// --at of every subcommand that answers as of a past time.
void AddAtFlag(Command command, const std::string& description,
               std::optional<graph::TimeUs>& at_us);

}  // namespace weft::deploy
