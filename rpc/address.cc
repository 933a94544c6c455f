#include "rpc/address.h"

#include <charconv>

#include <arpa/inet.h>

#include "graph/text.h"

namespace weft::rpc {

std::string Address::ToString() const {
  if (host.find(':') == std::string::npos) return graph::Concat(host, ":", port);
  return graph::Concat("[", host, "]:", port);
}

bool Address::IsLoopback() const {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  return (ntohl(address.s_addr) >> 24) == 127;
}

absl::StatusOr<Address> ParseAddress(std::string_view text, std::string_view field) {
  const auto error = [&] {
    return absl::InvalidArgumentError(
        graph::Concat(field, ": expected \"host:port\", got \"", text, "\""));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return error();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']') return error();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return error();
  }
  Address address;
  address.host = host;
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failure != std::errc() || end != port.data() + port.size()) return error();
  if (address.port < 0 || address.port > 65535 || host.empty()) return error();
  return address;
}

}  // namespace weft::rpc
