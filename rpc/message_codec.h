// Messages to and from what a client of the HTTP port sends: their JSON, as protobuf defines it, or
// their binary form.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace weft::rpc {

enum class MessageCodec : std::uint8_t { kJson, kBinary };

// A message of the type of `prototype`. INVALID_ARGUMENT for bytes that are none.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> DecodeMessage(
    MessageCodec codec, std::string_view bytes, const google::protobuf::Message& prototype);

// As JSON with the fields that have no value.
absl::StatusOr<std::string> EncodeMessage(MessageCodec codec,
                                          const google::protobuf::Message& message);

}  // namespace weft::rpc
