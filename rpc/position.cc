#include "rpc/position.h"

#include <cstdint>
#include <cstring>

#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kTokenBytes = 1 + 2 + 4 + 8;

template <class T>
void Append(std::string& token, T value) {
  token.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class T>
T Take(std::string_view& token) {
  T value = 0;
  std::memcpy(&value, token.data(), sizeof(value));
  token.remove_prefix(sizeof(value));
  return value;
}

}  // namespace

v1::LogPosition EncodePosition(graph::LogPosition position) {
  v1::LogPosition message;
  std::string& token = *message.mutable_token();
  token.push_back(kVersion);
  Append(token, position.partition);
  Append(token, position.feed);
  Append(token, position.offset);
  return message;
}

absl::StatusOr<graph::LogPosition> DecodePosition(const v1::LogPosition& position) {
  std::string_view token = position.token();
  if (token.size() != kTokenBytes || token[0] != kVersion) {
    return InvalidField("position.token", "expected a token that this service gave out");
  }
  token.remove_prefix(1);
  graph::LogPosition decoded;
  decoded.partition = Take<std::uint16_t>(token);
  decoded.feed = Take<std::uint32_t>(token);
  decoded.offset = Take<std::uint64_t>(token);
  return decoded;
}

}  // namespace weft::rpc
