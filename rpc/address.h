// Addresses to listen on, "host:port".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weft::rpc {

struct Address {
  std::string host;  // without the brackets of IPv6
  int port = 0;      // 0: take a free one

  // "host:port", with brackets where the host has colons.
  std::string ToString() const;
  // Whether nobody outside this machine can reach it.
  bool IsLoopback() const;
};

// INVALID_ARGUMENT, naming `field`, for anything but "host:port" or "[ipv6]:port".
absl::StatusOr<Address> ParseAddress(std::string_view text, std::string_view field);

}  // namespace weft::rpc
