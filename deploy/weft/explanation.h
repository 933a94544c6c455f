// How the program shows why a pair has its score.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "weft/v1/link.pb.h"

namespace weft::deploy {

// {"target", "log_odds", "mean_log_odds", "groups": [...], "partners": [...]}
nlohmann::ordered_json ExplanationJson(const std::string& target,
                                       const v1::LinkExplanation& explanation);
// Lines on stdout, indented.
void PrintExplanation(const v1::LinkExplanation& explanation);

}  // namespace weft::deploy
