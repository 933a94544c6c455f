// Packets as JSON Lines, for `weft run --output` (docs/json/run_*.schema.json).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "graph/packet.h"

namespace weft::deploy {

// The key of a node; valid until the function is called again.
using KeyOf = std::function<std::string_view(graph::NodeId)>;

// Appends one line for each row. UNIMPLEMENTED for a packet type that has no text form.
absl::Status AppendPacketJson(const graph::Packet& packet, const KeyOf& key_of, std::string& lines);

}  // namespace weft::deploy
