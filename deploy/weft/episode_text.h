// Episodes as JSON and as lines of text.
#pragma once

#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "graph/time.h"
#include "weft/v1/hierarchy.pb.h"

namespace weft::deploy {

// The same fields in every command's output.
nlohmann::ordered_json EpisodeJson(const v1::Episode& episode);
nlohmann::ordered_json EntityJson(const v1::EntityCount& entity);
// What was asked: node, known_until, snapshots, levels.
void AddTreeJson(const v1::TreeState& tree, nlohmann::ordered_json& object);

// On stdout; what is not UTF-8 is replaced.
void PrintJson(const nlohmann::ordered_json& object);

// "level 2  2001-01-01T00:00:00Z  3.5 h  1,234 interactions  12.3 nats  final  ANNA 40%, BERT 12%".
std::string EpisodeLine(const v1::Episode& episode);

// "1.5 h"; of the largest unit that is not too large.
std::string DurationText(graph::TimeUs duration_us);

}  // namespace weft::deploy
