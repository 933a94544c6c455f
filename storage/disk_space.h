// DiskSpace: whether the disk beneath a data directory has room for what is to be written. The log
// and checkpoints ask before they write, so that a reserve stays for RocksDB's own housekeeping and
// for a restart. Internal to storage/. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/status/status.h"

namespace weft::storage {

class DiskSpace {
 public:
  // Free bytes of the disk.
  using FreeBytes = std::function<std::uint64_t()>;

  // `reserved_bytes` stay free.
  DiskSpace(std::uint64_t reserved_bytes, FreeBytes free_bytes)
      : reserved_bytes_(reserved_bytes), free_bytes_(std::move(free_bytes)) {}

  // RESOURCE_EXHAUSTED unless `wanted_bytes` more can be written and the reserve stays.
  absl::Status Check(std::uint64_t wanted_bytes = 0) const;
  // For what the reserve is there for: RESOURCE_EXHAUSTED unless as much can be written.
  absl::Status CheckWithinReserve(std::uint64_t wanted_bytes) const;

 private:
  absl::Status CheckLeaves(std::uint64_t reserved_bytes, std::uint64_t wanted_bytes) const;

  const std::uint64_t reserved_bytes_;
  const FreeBytes free_bytes_;
};

}  // namespace weft::storage
