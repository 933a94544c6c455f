// Messages to and from their JSON, as protobuf defines it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace weft::rpc {

// A message of the type of `prototype`. INVALID_ARGUMENT for JSON that is none.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> ParseJson(
    std::string_view json, const google::protobuf::Message& prototype);

// Fields without a value included.
absl::StatusOr<std::string> PrintJson(const google::protobuf::Message& message);

}  // namespace weft::rpc
