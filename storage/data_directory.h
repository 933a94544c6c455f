// DataDirectory: everything of a server that survives a restart, in one directory that one process
// has at a time.
//
//   WEFT_ASSIGN(auto directory, storage::DataDirectory::Open({.path = "/var/lib/weft"}));
//   directory->log().Append(...);
//
// What lies where is described in storage/format.md. Thread rule: see each interface in
// graph/state.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/cold_store.h"
#include "graph/state.h"
#include "storage/history.h"

namespace rocksdb {
class Env;
}

namespace weft::storage {

class DataDirectory {
 public:
  // The version of the directory's layout that this program writes and the newest that it reads.
  static constexpr int kFormatVersion = 3;

  struct Options {
    std::string path;
    // Otherwise a missing directory is NOT_FOUND.
    bool create_if_missing = true;
    // Free bytes below which neither the log grows nor a checkpoint is written.
    std::uint64_t min_free_bytes = std::uint64_t{64} << 20;
    HistoryRetention history = {};
    // For tests with faults: replaces the file system beneath the database, and the count of free
    // bytes. May be empty.
    rocksdb::Env* environment = nullptr;
    std::function<std::uint64_t()> free_bytes = nullptr;
  };

  // Takes the directory, and makes it if it is missing and that is wanted. UNAVAILABLE if another
  // process has it open (the message names its pid), FAILED_PRECONDITION for a newer format or a
  // directory that holds something else, PERMISSION_DENIED if it cannot be written,
  // RESOURCE_EXHAUSTED if the last few MiB of the disk are full, DATA_LOSS if it is damaged.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(Options options);
  virtual ~DataDirectory() = default;

  // Live as long as the directory does.
  virtual graph::EventLog& log() = 0;
  virtual graph::Dictionary& dictionary() = 0;
  virtual graph::CheckpointStore& checkpoints() = 0;
  virtual graph::ColdStore& cold() = 0;
  virtual History& history() = 0;

  // The feed's first entry that is still kept.
  virtual absl::StatusOr<graph::LogPosition> LogBegin(std::uint32_t feed) const = 0;
  // Forgets the records that end at or before `first_kept`. The caller sees to it that a restorable
  // checkpoint has them.
  virtual absl::Status TrimLog(graph::LogPosition first_kept) = 0;
  // Reads a checkpoint whole and compares it with what was written. DATA_LOSS if something differs.
  virtual absl::Status VerifyCheckpoint(std::uint64_t id) const = 0;
};

}  // namespace weft::storage
