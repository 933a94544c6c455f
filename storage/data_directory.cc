#include "storage/data_directory.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/checkpoint_store.h"
#include "storage/cold_store.h"
#include "storage/database.h"
#include "storage/dictionary.h"
#include "storage/directory_lock.h"
#include "storage/disk_space.h"
#include "storage/event_log.h"

namespace weft::storage {
namespace {

class RocksDataDirectory final : public DataDirectory {
 public:
  RocksDataDirectory(std::unique_ptr<DirectoryLock> lock, std::unique_ptr<DiskSpace> space,
                     std::unique_ptr<Database> database, std::unique_ptr<RocksEventLog> log,
                     std::unique_ptr<RocksDictionary> dictionary,
                     std::unique_ptr<RocksColdStore> cold,
                     std::unique_ptr<RocksCheckpointStore> checkpoints,
                     const HistoryRetention& retention)
      : lock_(std::move(lock)),
        space_(std::move(space)),
        database_(std::move(database)),
        log_(std::move(log)),
        dictionary_(std::move(dictionary)),
        cold_(std::move(cold)),
        checkpoints_(std::move(checkpoints)),
        history_(database_.get(), space_.get(), log_.get(), retention) {}

  graph::EventLog& log() override { return *log_; }
  graph::Dictionary& dictionary() override { return *dictionary_; }
  graph::CheckpointStore& checkpoints() override { return *checkpoints_; }
  graph::ColdStore& cold() override { return *cold_; }
  History& history() override { return history_; }

  absl::StatusOr<graph::LogPosition> LogBegin(std::uint32_t feed) const override {
    return log_->Begin(feed);
  }
  absl::Status TrimLog(graph::LogPosition first_kept) override { return log_->Trim(first_kept); }
  absl::Status VerifyCheckpoint(std::uint64_t id) const override {
    return checkpoints_->Verify(id);
  }

 private:
  // In the order in which they depend on each other.
  const std::unique_ptr<DirectoryLock> lock_;
  const std::unique_ptr<DiskSpace> space_;
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<RocksEventLog> log_;
  const std::unique_ptr<RocksDictionary> dictionary_;
  const std::unique_ptr<RocksColdStore> cold_;
  const std::unique_ptr<RocksCheckpointStore> checkpoints_;
  History history_;
};

// Of the write-ahead logs, which opening reads and writes once more, sorted.
std::uint64_t WriteAheadBytes(const std::string& database_path) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(database_path, error)) {
    if (entry.path().extension() != ".log") continue;
    const std::uintmax_t size = entry.file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<DataDirectory>> OpenLocked(const std::string& database_path,
                                                          const DataDirectory::Options& options,
                                                          std::unique_ptr<DirectoryLock> lock,
                                                          std::unique_ptr<DiskSpace> space) {
  WEFT_ASSIGN(auto database, Database::Open(database_path, options.environment, space.get()));
  WEFT_ASSIGN(auto log, RocksEventLog::Open(database.get(), space.get()));
  WEFT_ASSIGN(auto dictionary, RocksDictionary::Open(database.get()));
  WEFT_ASSIGN(auto cold, RocksColdStore::Open(database.get()));
  WEFT_ASSIGN(auto checkpoints,
              RocksCheckpointStore::Open(database.get(), space.get(), cold.get()));
  return std::make_unique<RocksDataDirectory>(
      std::move(lock), std::move(space), std::move(database), std::move(log), std::move(dictionary),
      std::move(cold), std::move(checkpoints), options.history);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(Options options) {
  if (!options.create_if_missing && !std::filesystem::exists(options.path + "/FORMAT")) {
    return absl::NotFoundError(
        absl::StrCat(options.path, ": expected a data directory, found none"));
  }
  WEFT_ASSIGN(std::unique_ptr<DirectoryLock> lock, DirectoryLock::Acquire(options.path));
  WEFT_TRY(TakeFormat(options.path, kFormatVersion));
  const std::string database_path = absl::StrCat(options.path, "/db");
  DiskSpace::FreeBytes free_bytes = std::move(options.free_bytes);
  if (!free_bytes) {
    free_bytes = [path = options.path]() -> std::uint64_t {
      std::error_code error;
      const auto space = std::filesystem::space(path, error);
      // A disk that cannot be asked is left to say so when it is written to.
      return error ? ~std::uint64_t{0} : space.available;
    };
  }
  auto space = std::make_unique<DiskSpace>(options.min_free_bytes, free_bytes);
  if (const absl::Status room = space->CheckWithinReserve(Database::kOpenBytes); !room.ok()) {
    return absl::Status(room.code(), absl::StrCat(options.path, ": ", room.message()));
  }
  auto opened = OpenLocked(database_path, options, std::move(lock), std::move(space));
  if (!absl::IsResourceExhausted(opened.status())) return opened;
  return absl::ResourceExhaustedError(absl::StrCat(
      options.path, ": the disk is full: ", free_bytes(), " bytes free, opening needs up to ",
      WriteAheadBytes(database_path) + Database::kOpenBytes, ": ", opened.status().message()));
}

}  // namespace weft::storage
