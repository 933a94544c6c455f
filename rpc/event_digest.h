// The digest of one event, by which a client that resumes notices that its file has changed.
// Defined in weft/v1/ingest.proto, EventColumns.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weft::rpc {

std::uint64_t EventDigest(std::string_view source, std::string_view target, std::int64_t time_us,
                          float label, std::span<const float> features);

}  // namespace weft::rpc
