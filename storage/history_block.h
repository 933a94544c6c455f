// The values of the column family history: a node's block of events, and the mark of a feed.
// Layouts: storage/format.md. Internal to storage/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/history.h"
#include "storage/keys.h"

namespace weft::storage {

// Consecutive events of one node.
struct HistoryBlock {
  static constexpr std::size_t kEntriesMax = 128;
  std::uint64_t number = 0;  // how many blocks the node had before
  std::vector<HistoryEntry> entries;
};

// The key of a node's block; kOpenBlock in place of the number for the latest one, which grows
// until it is full and another event comes.
inline constexpr std::uint64_t kOpenBlock = ~std::uint64_t{0};
struct HistoryKey {
  std::uint32_t feed = kNoFeed;
  graph::NodeId node = graph::kNoNode;
  std::uint64_t number = kOpenBlock;

  std::string Encode() const;
  // Nothing for a key of another length or partition.
  static std::optional<HistoryKey> Decode(std::string_view bytes);
};

std::string EncodeHistoryBlock(const HistoryBlock& block);
// DATA_LOSS, which names the node, if anything is wrong, FAILED_PRECONDITION for a newer version.
absl::StatusOr<HistoryBlock> DecodeHistoryBlock(const HistoryKey& key, std::string_view bytes);

// What the history of a feed has taken in.
struct HistoryMark {
  std::uint64_t begin = 0;                             // offset of the log where it began
  std::uint64_t end = 0;                               // offset up to which it has come
  graph::TimeUs first_us = graph::kAfterAllTime;       // the earliest of these events
  graph::TimeUs watermark_us = graph::kBeforeAllTime;  // of the feed at `end`
};

std::string EncodeHistoryMark(const HistoryMark& mark);
absl::StatusOr<HistoryMark> DecodeHistoryMark(std::uint32_t feed, std::string_view bytes);

}  // namespace weft::storage
