// Database: the one RocksDB instance of a data directory, with its column families by name and its
// errors as absl::Status. Internal to storage/. Thread rule: any thread; Write calls may run beside
// reads.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/db.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weft::storage {

// Column families; the layouts of their keys and values are in storage/format.md.
enum class Family : std::size_t { kLog, kEnds, kProducers, kNodes, kFeeds, kCheckpoints };
inline constexpr std::size_t kFamilyCount = 6;

enum class Durability {
  kSynced,    // in the write-ahead log and fsynced when Write returns
  kUnlogged,  // durable only after a Flush; for bulk data that a synced write refers to afterwards
};

class Database {
 public:
  // What one family may hold in memory before it is in files.
  static constexpr std::uint64_t kBufferedBytesMax = std::uint64_t{128} << 20;

  // DATA_LOSS if RocksDB finds its files damaged. `environment` may be null.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        rocksdb::Env* environment);
  ~Database();

  absl::Status Write(rocksdb::WriteBatch& batch, Durability durability);
  // NOT_FOUND if there is no such key.
  absl::StatusOr<std::string> Get(Family family, std::string_view key) const;
  // Unpositioned; reads the state at this moment.
  std::unique_ptr<rocksdb::Iterator> Iterate(Family family) const;
  // Makes everything of the family durable.
  absl::Status Flush(Family family);
  // After a write failed for want of space: makes the database writable again.
  absl::Status Resume();

  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

 private:
  Database() = default;

  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> handles_{};
  rocksdb::ColumnFamilyHandle* default_handle_ = nullptr;
};

// Corruption is DATA_LOSS, no space RESOURCE_EXHAUSTED, not found NOT_FOUND, the rest INTERNAL.
absl::Status ToStatus(const rocksdb::Status& status, std::string_view what);

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace weft::storage
