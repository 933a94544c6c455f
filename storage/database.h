// Database: the one RocksDB instance of a data directory, with its column families by name and its
// errors as absl::Status. Internal to storage/. Thread rule: any thread; Write calls may run beside
// reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <rocksdb/db.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/disk_space.h"

namespace weft::storage {

// Column families; the layouts of their keys and values are in storage/format.md.
enum class Family : std::size_t {
  kLog,
  kEnds,
  kProducers,
  kNodes,
  kFeeds,
  kCheckpoints,
  kHistory,
  kCold
};
inline constexpr std::size_t kFamilyCount = 8;

enum class Durability {
  kSynced,    // in the write-ahead log and fsynced when Write returns
  kUnlogged,  // durable only after a Flush; for bulk data that a synced write refers to afterwards
};

class Database {
 public:
  // What one family may hold in memory before it is in files.
  static constexpr std::uint64_t kBufferedBytesMax = std::uint64_t{128} << 20;

  // What opening writes besides what the write-ahead log holds, and a little more.
  static constexpr std::uint64_t kOpenBytes = std::uint64_t{4} << 20;

  // DATA_LOSS if RocksDB finds its files damaged. `environment` may be null. `space` outlives the
  // database.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        rocksdb::Env* environment,
                                                        const DiskSpace* space);
  // Puts what is only in the write-ahead log into files, for a quick start.
  ~Database();

  // Like Flush, RESOURCE_EXHAUSTED while the disk is full. Once there is space, the next of either
  // makes the database writable again, which forgets what was written kUnlogged and not flushed.
  absl::Status Write(rocksdb::WriteBatch& batch, Durability durability);
  // NOT_FOUND if there is no such key.
  absl::StatusOr<std::string> Get(Family family, std::string_view key) const;
  // Unpositioned; reads the state at this moment.
  std::unique_ptr<rocksdb::Iterator> Iterate(Family family) const;
  // Makes everything of the family durable.
  absl::Status Flush(Family family);

  // Opens RocksDB anew if the disk was full.
  absl::Status MakeWritable();
  // How often that was done.
  std::uint64_t reopen_count() const { return reopen_count_; }

  // For batches.
  rocksdb::ColumnFamilyHandle* handle(Family family) const;

 private:
  struct Opened;
  class FamilyHandle;

  Database(std::string path, rocksdb::Env* environment, const DiskSpace* space);
  std::shared_ptr<Opened> Current() const;
  absl::StatusOr<std::shared_ptr<Opened>> OpenFiles();
  template <class Action>
  absl::Status WhenWritable(std::string_view what, const Action& action);

  const std::string path_;
  rocksdb::Env* const environment_;
  const DiskSpace* const space_;
  std::array<std::unique_ptr<FamilyHandle>, kFamilyCount> handles_;
  std::atomic<bool> was_full_ = false;
  std::atomic<std::uint64_t> reopen_count_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<Opened> opened_;  // guarded by mutex_; null if it could not be opened anew
};

// Corruption is DATA_LOSS, no space RESOURCE_EXHAUSTED, not found NOT_FOUND, the rest INTERNAL.
absl::Status ToStatus(const rocksdb::Status& status, std::string_view what);

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace weft::storage
