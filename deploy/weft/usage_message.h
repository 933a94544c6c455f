// What is said when the arguments make no sense.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace weft::deploy {

// Whole lines for stderr: what was wrong, with the nearest name where one is misspelt, and which
// help to read. `root` has parsed as far as the error.
std::string UsageMessage(const CLI::App& root, const CLI::Error& error);

}  // namespace weft::deploy
