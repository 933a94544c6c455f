#include "storage/data_directory.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/checkpoint_store.h"
#include "storage/database.h"
#include "storage/dictionary.h"
#include "storage/directory_lock.h"
#include "storage/event_log.h"

namespace weft::storage {
namespace {

class RocksDataDirectory final : public DataDirectory {
 public:
  RocksDataDirectory(std::unique_ptr<DirectoryLock> lock, std::unique_ptr<Database> database,
                     std::unique_ptr<RocksEventLog> log,
                     std::unique_ptr<RocksDictionary> dictionary,
                     std::unique_ptr<RocksCheckpointStore> checkpoints)
      : lock_(std::move(lock)),
        database_(std::move(database)),
        log_(std::move(log)),
        dictionary_(std::move(dictionary)),
        checkpoints_(std::move(checkpoints)) {}

  graph::EventLog& log() override { return *log_; }
  graph::Dictionary& dictionary() override { return *dictionary_; }
  graph::CheckpointStore& checkpoints() override { return *checkpoints_; }

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
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<RocksEventLog> log_;
  const std::unique_ptr<RocksDictionary> dictionary_;
  const std::unique_ptr<RocksCheckpointStore> checkpoints_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(Options options) {
  if (!options.create_if_missing && !std::filesystem::exists(options.path + "/FORMAT")) {
    return absl::NotFoundError(
        absl::StrCat(options.path, ": expected a data directory, found none"));
  }
  WEFT_ASSIGN(std::unique_ptr<DirectoryLock> lock, DirectoryLock::Acquire(options.path));
  WEFT_TRY(CheckFormat(options.path, kFormatVersion));
  const std::string database_path = absl::StrCat(options.path, "/db");
  WEFT_ASSIGN(auto database, Database::Open(database_path, options.environment));
  RocksEventLog::FreeBytes free_bytes = std::move(options.free_bytes);
  if (!free_bytes) {
    free_bytes = [database_path]() -> std::uint64_t {
      std::error_code error;
      const auto space = std::filesystem::space(database_path, error);
      // A disk that cannot be asked is left to say so when it is written to.
      return error ? ~std::uint64_t{0} : space.available;
    };
  }
  WEFT_ASSIGN(auto log,
              RocksEventLog::Open(database.get(), options.min_free_bytes, std::move(free_bytes)));
  WEFT_ASSIGN(auto dictionary, RocksDictionary::Open(database.get()));
  WEFT_ASSIGN(auto checkpoints, RocksCheckpointStore::Open(database.get()));
  return std::make_unique<RocksDataDirectory>(std::move(lock), std::move(database), std::move(log),
                                              std::move(dictionary), std::move(checkpoints));
}

}  // namespace weft::storage
