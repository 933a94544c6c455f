#include "rpc/event_digest.h"

#include <string>

#include <xxhash.h>

namespace weft::rpc {
namespace {

template <class T>
void Append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendKey(std::string& bytes, std::string_view key) {
  Append(bytes, static_cast<std::uint32_t>(key.size()));
  bytes.append(key);
}

}  // namespace

std::uint64_t EventDigest(std::string_view source, std::string_view target, std::int64_t time_us,
                          float label, std::span<const float> features) {
  std::string bytes;
  AppendKey(bytes, source);
  AppendKey(bytes, target);
  Append(bytes, time_us);
  Append(bytes, label);
  for (const float feature : features) Append(bytes, feature);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace weft::rpc
