// Fields of JSON Lines that packets of several types have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "deploy/weft/packet_json.h"
#include "graph/time.h"

namespace weft::deploy {

// "time":"2001-01-01T00:00:00.000000Z","time_us":978307200000000
void AppendTime(graph::TimeUs time_us, std::string& lines);
// ,"name":"key", or null for no node.
void AppendKey(std::string_view name, graph::NodeId node, const KeyOf& key_of, std::string& lines);
// ,"name":number or null.
void AppendNumberOrNull(std::string_view name, std::optional<double> number, std::string& lines);

}  // namespace weft::deploy
