// The server's configuration: from protobuf text, with its defaults, checked.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "weft/config/v1/server_config.pb.h"

namespace weft::rpc {

// INVALID_ARGUMENT as `file_name:line:column: ...` for text that is not a ServerConfig; an unknown
// field is an error that names the nearest one. Defaults are not filled in, so that flags can still
// go first.
absl::StatusOr<config::v1::ServerConfig> ParseServerConfig(std::string_view text,
                                                           std::string_view file_name);

// Fills in every default and checks every limit. INVALID_ARGUMENT names the field.
absl::StatusOr<config::v1::ServerConfig> CompleteServerConfig(config::v1::ServerConfig config);

}  // namespace weft::rpc
