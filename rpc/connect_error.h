// Errors as the Connect protocol has them: https://connectrpc.com/docs/protocol.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "nlohmann/json_fwd.hpp"

namespace weft::rpc {

// {"code": "...", "message": "...", "details": [...]} of an error.
nlohmann::json ConnectErrorJson(const absl::Status& status);
// The same as text.
std::string ConnectErrorText(const absl::Status& status);
// The HTTP status that Connect gives its code.
int ConnectHttpStatus(const absl::Status& status);

}  // namespace weft::rpc
