#include "storage/history_block.h"

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/bytes.h"

namespace weft::storage {
namespace {

constexpr std::uint8_t kVersion = 1;

// Small numbers of either sign become small ones without a sign.
std::uint64_t ZigZag(std::uint64_t difference) {
  return difference << 1 ^ (~(difference >> 63) + 1);
}
std::uint64_t UnZigZag(std::uint64_t value) { return value >> 1 ^ (~(value & 1) + 1); }

absl::Status CheckVersion(ByteReader& reader, const std::string& what) {
  const auto version = reader.Value<std::uint8_t>();
  if (version == kVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, " of version ", version, ", this program reads ", kVersion));
}

}  // namespace

std::string HistoryKey::Encode() const {
  std::string bytes = FeedPrefix(feed);
  ByteWriter writer(bytes);
  writer.KeyPart(node);
  writer.KeyPart(number);
  return bytes;
}

std::optional<HistoryKey> HistoryKey::Decode(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool mine = reader.KeyPart<std::uint16_t>() == kPartition;
  HistoryKey key;
  key.feed = reader.KeyPart<std::uint32_t>();
  key.node = reader.KeyPart<graph::NodeId>();
  key.number = reader.KeyPart<std::uint64_t>();
  if (!mine || !reader.finished()) return std::nullopt;
  return key;
}

std::string EncodeHistoryBlock(const HistoryBlock& block) {
  constexpr std::size_t kUsualEntryBytes = 12;
  std::string bytes;
  bytes.reserve((block.entries.size() + 2) * kUsualEntryBytes);
  ByteWriter writer(bytes);
  writer.Value(kVersion);
  writer.Varint(block.number);
  writer.Varint(block.entries.size());
  std::uint64_t time_us = 0;
  std::uint64_t offset = 0;
  for (const HistoryEntry& entry : block.entries) {
    const auto entry_us = static_cast<std::uint64_t>(entry.time_us);
    writer.Varint(ZigZag(entry_us - time_us));
    writer.Varint((entry.offset - offset) << 1 | (entry.sent ? 1 : 0));
    writer.Varint(entry.peer);
    time_us = entry_us;
    offset = entry.offset;
  }
  AppendChecksum(bytes);
  return bytes;
}

absl::StatusOr<HistoryBlock> DecodeHistoryBlock(const HistoryKey& key, std::string_view bytes) {
  const std::string what = absl::StrCat("history of node ", key.node, " in feed ", key.feed);
  const auto body = StripChecksum(bytes);
  if (!body) return absl::DataLossError(absl::StrCat(what, ": the checksum does not fit"));
  ByteReader reader(*body);
  WEFT_TRY(CheckVersion(reader, what));
  HistoryBlock block;
  block.number = reader.Varint();
  const std::uint64_t count = reader.Varint();
  const bool numbered = key.number != kOpenBlock;
  if (count == 0 || count > HistoryBlock::kEntriesMax ||
      (numbered && (block.number != key.number || count < HistoryBlock::kEntriesMax))) {
    return absl::DataLossError(absl::StrCat(what, ": a block of ", count, " events, number ",
                                            block.number, ", is in the place of another"));
  }
  block.entries.resize(count);
  std::uint64_t time_us = 0;
  std::uint64_t offset = 0;
  for (HistoryEntry& entry : block.entries) {
    time_us += UnZigZag(reader.Varint());
    const std::uint64_t step = reader.Varint();
    offset += step >> 1;
    entry.time_us = static_cast<graph::TimeUs>(time_us);
    entry.offset = offset;
    entry.sent = (step & 1) != 0;
    entry.peer = static_cast<graph::NodeId>(reader.Varint());
  }
  if (!reader.finished()) {
    return absl::DataLossError(absl::StrCat(what, ": a block of the wrong length"));
  }
  return block;
}

std::string EncodeHistoryMark(const HistoryMark& mark) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Value(kVersion);
  writer.Value(mark.begin);
  writer.Value(mark.end);
  writer.Value(mark.first_us);
  writer.Value(mark.watermark_us);
  AppendChecksum(bytes);
  return bytes;
}

absl::StatusOr<HistoryMark> DecodeHistoryMark(std::uint32_t feed, std::string_view bytes) {
  const std::string what = absl::StrCat("mark of the history of feed ", feed);
  const auto body = StripChecksum(bytes);
  if (!body) return absl::DataLossError(absl::StrCat(what, ": the checksum does not fit"));
  ByteReader reader(*body);
  WEFT_TRY(CheckVersion(reader, what));
  HistoryMark mark;
  mark.begin = reader.Value<std::uint64_t>();
  mark.end = reader.Value<std::uint64_t>();
  mark.first_us = reader.Value<graph::TimeUs>();
  mark.watermark_us = reader.Value<graph::TimeUs>();
  if (!reader.finished()) return absl::DataLossError(absl::StrCat(what, ": of the wrong length"));
  return mark;
}

}  // namespace weft::storage
