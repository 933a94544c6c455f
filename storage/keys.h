// The keys of the column families: {partition, feed} first, big-endian, so that they sort by
// number. Feeds are numbered from 1; feed 0 stands for what belongs to the whole partition.
// Internal to storage/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "graph/event_batch.h"
#include "storage/bytes.h"

namespace weft::storage {

// The only partition there is today.
inline constexpr std::uint16_t kPartition = 0;
inline constexpr std::uint32_t kNoFeed = 0;

inline std::string FeedPrefix(std::uint32_t feed) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.KeyPart(kPartition);
  writer.KeyPart(feed);
  return bytes;
}

// {partition, feed, number}: a log record by offset, a producer by its number.
struct FeedKey {
  std::uint32_t feed = kNoFeed;
  std::uint64_t number = 0;

  std::string Encode() const {
    std::string bytes = FeedPrefix(feed);
    ByteWriter(bytes).KeyPart(number);
    return bytes;
  }
  // Nothing for a key of another length or partition.
  static std::optional<FeedKey> Decode(std::string_view bytes) {
    ByteReader reader(bytes);
    const bool mine = reader.KeyPart<std::uint16_t>() == kPartition;
    FeedKey key;
    key.feed = reader.KeyPart<std::uint32_t>();
    key.number = reader.KeyPart<std::uint64_t>();
    if (!mine || !reader.finished()) return std::nullopt;
    return key;
  }
};

inline std::string EncodeNodeKey(graph::NodeId node) {
  std::string bytes = FeedPrefix(kNoFeed);
  ByteWriter(bytes).KeyPart(node);
  return bytes;
}

inline std::optional<graph::NodeId> DecodeNodeKey(std::string_view bytes) {
  ByteReader reader(bytes);
  reader.KeyPart<std::uint16_t>();
  reader.KeyPart<std::uint32_t>();
  const auto node = reader.KeyPart<graph::NodeId>();
  if (!reader.finished()) return std::nullopt;
  return node;
}

// A node's value: a byte that says whether its key is still known, then the key.
inline std::string EncodeNode(std::string_view key) {
  std::string bytes(1, '\1');
  bytes.append(key);
  return bytes;
}

}  // namespace weft::storage
