// MemoryCheckpoints: a CheckpointStore in memory, which can be told to fail and whose bytes tests
// can spoil.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/state.h"

namespace weft::tests {

class MemoryCheckpoints final : public graph::CheckpointStore {
 public:
  using Sections = std::vector<std::pair<std::string, std::string>>;
  struct Stored {
    graph::CheckpointManifest manifest;
    std::map<std::string, Sections, std::less<>> operators;
  };

  absl::StatusOr<std::unique_ptr<Writer>> Begin() override;
  absl::StatusOr<std::vector<graph::CheckpointManifest>> List() const override;
  absl::StatusOr<std::unique_ptr<Reader>> Open(std::uint64_t id) const override;

  // Every later write fails with this, until an ok status is given.
  void set_write_status(absl::Status status);
  // The checkpoint with this id, to be spoilt. It must exist.
  Stored& stored(std::uint64_t id);
  // Opens the newest; there must be one.
  std::unique_ptr<Reader> OpenNewest() const;

 private:
  class MemoryWriter;
  class MemoryReader;

  absl::Status write_status() const;

  mutable std::mutex mutex_;
  absl::Status write_status_;
  std::map<std::uint64_t, Stored> checkpoints_;
};

}  // namespace weft::tests
