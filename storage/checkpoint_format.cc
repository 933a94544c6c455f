#include "storage/checkpoint_format.h"

#include <utility>

#include <xxhash.h>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/bytes.h"
#include "storage/keys.h"

namespace weft::storage {
namespace {

constexpr std::uint8_t kManifestVersion = 1;

std::uint64_t PageChecksum(std::string_view key, std::string_view bytes) {
  const std::uint64_t seed = XXH3_64bits(key.data(), key.size());
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void EncodeOperatorPages(const OperatorPages& pages, ByteWriter& writer) {
  writer.Text(pages.node_name);
  writer.Value(pages.page_count);
  writer.Value(pages.bytes);
  writer.Value(pages.hash);
  writer.Value(static_cast<std::uint32_t>(pages.sections.size()));
  for (const SectionEntry& section : pages.sections) {
    writer.Text(section.name);
    writer.Value(section.bytes);
  }
}

OperatorPages DecodeOperatorPages(ByteReader& reader) {
  OperatorPages pages;
  pages.node_name = reader.Text();
  pages.page_count = reader.Value<std::uint32_t>();
  pages.bytes = reader.Value<std::uint64_t>();
  pages.hash = reader.Value<std::uint64_t>();
  const auto count = reader.Value<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    SectionEntry section;
    section.name = reader.Text();
    section.bytes = reader.Value<std::uint64_t>();
    pages.sections.push_back(std::move(section));
  }
  return pages;
}

graph::CheckpointManifest::OperatorEntry DecodeOperatorEntry(ByteReader& reader) {
  graph::CheckpointManifest::OperatorEntry entry;
  entry.name = reader.Text();
  entry.operator_name = reader.Text();
  entry.state_version = reader.Value<std::uint32_t>();
  entry.bytes = reader.Value<std::uint64_t>();
  entry.hash = reader.Value<std::uint64_t>();
  return entry;
}

std::string EntryKey(std::uint64_t id, std::uint8_t kind) {
  std::string key = CheckpointPrefix(id);
  ByteWriter(key).KeyPart(kind);
  return key;
}

}  // namespace

std::string EncodeManifest(const StoredManifest& stored) {
  std::string bytes;
  ByteWriter writer(bytes);
  const graph::CheckpointManifest& manifest = stored.manifest;
  writer.Value(kManifestVersion);
  writer.Value(manifest.id);
  writer.Text(manifest.spec_digest);
  writer.Value(static_cast<std::uint32_t>(manifest.applied.size()));
  for (const graph::LogPosition& position : manifest.applied) {
    writer.Value(position.partition);
    writer.Value(position.feed);
    writer.Value(position.offset);
  }
  writer.Value(static_cast<std::uint32_t>(manifest.operators.size()));
  for (const auto& entry : manifest.operators) {
    writer.Text(entry.name);
    writer.Text(entry.operator_name);
    writer.Value(entry.state_version);
    writer.Value(entry.bytes);
    writer.Value(entry.hash);
  }
  writer.Value(manifest.state_hash);
  writer.Value(static_cast<std::uint32_t>(stored.operators.size()));
  for (const OperatorPages& pages : stored.operators) EncodeOperatorPages(pages, writer);
  AppendChecksum(bytes);
  return bytes;
}

absl::StatusOr<StoredManifest> DecodeManifest(std::string_view bytes) {
  const auto body = StripChecksum(bytes);
  if (!body) return absl::DataLossError("checkpoint manifest: the checksum does not fit");
  ByteReader reader(*body);
  if (const auto version = reader.Value<std::uint8_t>(); version != kManifestVersion) {
    return absl::FailedPreconditionError(absl::StrCat("checkpoint manifest of version ", version,
                                                      ", this program reads ", kManifestVersion));
  }
  StoredManifest stored;
  graph::CheckpointManifest& manifest = stored.manifest;
  manifest.id = reader.Value<std::uint64_t>();
  manifest.spec_digest = reader.Text();
  const auto applied_count = reader.Value<std::uint32_t>();
  for (std::uint32_t i = 0; i < applied_count && reader.ok(); ++i) {
    graph::LogPosition position;
    position.partition = reader.Value<std::uint16_t>();
    position.feed = reader.Value<std::uint32_t>();
    position.offset = reader.Value<std::uint64_t>();
    manifest.applied.push_back(position);
  }
  const auto entry_count = reader.Value<std::uint32_t>();
  for (std::uint32_t i = 0; i < entry_count && reader.ok(); ++i) {
    manifest.operators.push_back(DecodeOperatorEntry(reader));
  }
  manifest.state_hash = reader.Value<std::uint64_t>();
  const auto operator_count = reader.Value<std::uint32_t>();
  for (std::uint32_t i = 0; i < operator_count && reader.ok(); ++i) {
    stored.operators.push_back(DecodeOperatorPages(reader));
  }
  if (!reader.finished()) return absl::DataLossError("checkpoint manifest of the wrong length");
  return stored;
}

std::string CheckpointPrefix(std::uint64_t id) {
  std::string key = FeedPrefix(kNoFeed);
  ByteWriter(key).KeyPart(id);
  return key;
}

std::string ManifestKey(std::uint64_t id) { return EntryKey(id, CheckpointKey::kManifest); }

std::string VerifiedKey(std::uint64_t id) { return EntryKey(id, CheckpointKey::kVerified); }

std::string PageKey(std::uint64_t id, std::uint32_t operator_index, std::uint32_t page) {
  std::string key = EntryKey(id, CheckpointKey::kPage);
  ByteWriter writer(key);
  writer.KeyPart(operator_index);
  writer.KeyPart(page);
  return key;
}

absl::StatusOr<CheckpointKey> DecodeCheckpointKey(std::string_view bytes) {
  ByteReader reader(bytes);
  reader.KeyPart<std::uint16_t>();
  reader.KeyPart<std::uint32_t>();
  CheckpointKey key;
  key.id = reader.KeyPart<std::uint64_t>();
  key.kind = reader.KeyPart<std::uint8_t>();
  if (!reader.ok()) return absl::DataLossError("checkpoint key of the wrong length");
  return key;
}

std::string EncodePage(std::string_view key, std::string_view bytes) {
  std::string value;
  value.reserve(bytes.size() + sizeof(std::uint64_t));
  value.append(bytes);
  ByteWriter(value).Value(PageChecksum(key, bytes));
  return value;
}

absl::StatusOr<std::string> DecodePage(std::string_view key, std::string value) {
  constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);
  const std::string_view view(value);
  if (view.size() >= kChecksumBytes) {
    const std::string_view body = view.substr(0, view.size() - kChecksumBytes);
    ByteReader reader(view.substr(body.size()));
    if (reader.Value<std::uint64_t>() == PageChecksum(key, body)) {
      value.resize(body.size());
      return value;
    }
  }
  return absl::DataLossError("checkpoint page: the checksum does not fit");
}

}  // namespace weft::storage
