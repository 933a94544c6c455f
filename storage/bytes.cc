#include "storage/bytes.h"

#include <xxhash.h>

namespace weft::storage {

void AppendChecksum(std::string& bytes) {
  const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  ByteWriter(bytes).Value(checksum);
}

std::optional<std::string_view> StripChecksum(std::string_view bytes) {
  if (bytes.size() < sizeof(std::uint64_t)) return std::nullopt;
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(std::uint64_t));
  ByteReader reader(bytes.substr(body.size()));
  if (reader.Value<std::uint64_t>() != XXH3_64bits(body.data(), body.size())) return std::nullopt;
  return body;
}

}  // namespace weft::storage
