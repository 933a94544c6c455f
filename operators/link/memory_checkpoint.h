// A checkpoint of one operator or model in memory: what it wrote can be read back as often as
// wanted.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "graph/state.h"
#include "graph/text.h"

namespace weft::operators::link {

class MemoryCheckpoint final : public graph::CheckpointSink {
 public:
  absl::Status Write(std::string_view section, std::span<const std::byte> bytes) override {
    sections_[std::string(section)].append(reinterpret_cast<const char*>(bytes.data()),
                                           bytes.size());
    return absl::OkStatus();
  }

  void Clear() { sections_.clear(); }
  const std::map<std::string, std::string, std::less<>>& sections() const { return sections_; }

 private:
  std::map<std::string, std::string, std::less<>> sections_;
};

// Reads a MemoryCheckpoint, which must outlive it, from the start.
class MemoryCheckpointReader final : public graph::CheckpointSource {
 public:
  explicit MemoryCheckpointReader(const MemoryCheckpoint& checkpoint) : checkpoint_(checkpoint) {}

  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override {
    if (Remaining(section) < bytes.size()) {
      return absl::DataLossError(graph::Concat("section ", section, ": expected ", bytes.size(),
                                               " more bytes, got ", Remaining(section)));
    }
    if (bytes.empty()) return absl::OkStatus();
    std::size_t& place = place_[std::string(section)];
    const std::string& stored = checkpoint_.sections().find(section)->second;
    std::memcpy(bytes.data(), stored.data() + place, bytes.size());
    place += bytes.size();
    return absl::OkStatus();
  }

  std::uint64_t Remaining(std::string_view section) const override {
    const auto stored = checkpoint_.sections().find(section);
    if (stored == checkpoint_.sections().end()) return 0;
    const auto place = place_.find(section);
    return stored->second.size() - (place == place_.end() ? 0 : place->second);
  }

 private:
  const MemoryCheckpoint& checkpoint_;
  std::map<std::string, std::size_t, std::less<>> place_;
};

}  // namespace weft::operators::link
