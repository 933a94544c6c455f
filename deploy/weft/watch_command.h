// The commands of `weft watch`.
#pragma once

#include <CLI/CLI.hpp>

#include "deploy/weft/command.h"

namespace weft::deploy {

void AddWatchPredictions(CLI::App& watch, Invocation& invocation);
void AddWatchModels(CLI::App& watch, Invocation& invocation);

}  // namespace weft::deploy
