// The two files that guard a data directory: LOCK (who has it open) and FORMAT (what wrote it).
// Internal to storage/.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weft::storage {

// Held as long as it lives; released by the system when the process dies.
class DirectoryLock {
 public:
  // Makes the directory if it is missing. UNAVAILABLE with the holder's pid if it is taken,
  // PERMISSION_DENIED or FAILED_PRECONDITION if it cannot be used.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Acquire(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  const int file_;
};

// Writes FORMAT into a directory that is still empty and raises that of an older version, whose
// programs refuse the directory from then on. FAILED_PRECONDITION for a newer version or a
// directory that is not ours, DATA_LOSS for a file that cannot be understood.
absl::Status TakeFormat(const std::string& directory, int version);

}  // namespace weft::storage
