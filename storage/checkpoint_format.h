// What stands in a checkpoint's manifest besides graph::CheckpointManifest, and the keys of its
// entries. The bytes are described in storage/format.md. Internal to storage/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/state.h"

namespace weft::storage {

// One section of an operator's state, in the order written.
struct SectionEntry {
  std::string name;
  std::uint64_t bytes = 0;
};

// How one operator's state lies in pages.
struct OperatorPages {
  std::string node_name;
  std::uint32_t page_count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;  // XXH3 of all its bytes
  std::vector<SectionEntry> sections;
};

struct StoredManifest {
  graph::CheckpointManifest manifest;
  std::vector<OperatorPages> operators;
};

std::string EncodeManifest(const StoredManifest& stored);
// DATA_LOSS for damaged bytes, FAILED_PRECONDITION for a newer version.
absl::StatusOr<StoredManifest> DecodeManifest(std::string_view bytes);

// Keys of the family: everything of a checkpoint, its manifest, the mark of its verification, a
// page.
std::string CheckpointPrefix(std::uint64_t id);
std::string ManifestKey(std::uint64_t id);
std::string VerifiedKey(std::uint64_t id);
std::string PageKey(std::uint64_t id, std::uint32_t operator_index, std::uint32_t page);

// What a key of the family says; `kind` is one of the constants.
struct CheckpointKey {
  static constexpr std::uint8_t kManifest = 0;
  static constexpr std::uint8_t kVerified = 1;
  static constexpr std::uint8_t kPage = 2;
  std::uint64_t id = 0;
  std::uint8_t kind = kManifest;
};
absl::StatusOr<CheckpointKey> DecodeCheckpointKey(std::string_view bytes);

// A page's value: its bytes and a checksum over its key and them, so that a page can stand only in
// its own place.
std::string EncodePage(std::string_view key, std::string_view bytes);
absl::StatusOr<std::string> DecodePage(std::string_view key, std::string value);

}  // namespace weft::storage
