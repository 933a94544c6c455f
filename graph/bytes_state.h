// State of an object as bytes, outside of a checkpoint: what its VisitState writes, one value after
// the other.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "graph/state.h"
#include "graph/state_archive.h"
#include "graph/text.h"

namespace weft::graph {

// All sections in one, in the order in which they are written.
class BytesSink final : public CheckpointSink {
 public:
  absl::Status Write(std::string_view, std::span<const std::byte> bytes) override {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return absl::OkStatus();
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Of bytes that outlive it.
class BytesSource final : public CheckpointSource {
 public:
  explicit BytesSource(std::string_view bytes) : bytes_(bytes) {}

  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override {
    if (bytes.size() > bytes_.size())
      return absl::DataLossError(
          Concat(section, ": expected ", bytes.size(), " more bytes, got ", bytes_.size()));
    if (!bytes.empty()) std::memcpy(bytes.data(), bytes_.data(), bytes.size());
    bytes_.remove_prefix(bytes.size());
    return absl::OkStatus();
  }
  std::uint64_t Remaining(std::string_view) const override { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

}  // namespace weft::graph
