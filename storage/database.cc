#include "storage/database.h"

#include <algorithm>
#include <vector>

#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/database_log.h"

namespace weft::storage {
namespace {

constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"log",   "ends",  "producers",
                                                                "nodes", "feeds", "checkpoints"};
constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// RocksDB would look every few seconds whether there is space again, and meanwhile refuse a Resume.
// The log resumes when it is written to.
class ResumeByHand final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::DBOptions DatabaseOptions(const std::string& path, rocksdb::Env* environment) {
  rocksdb::DBOptions options;
  if (environment != nullptr) options.env = environment;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // A torn tail was never acknowledged and may go; damage before it is an error, never a silent
  // loss.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.max_total_wal_size = 256 * kMebibyte;  // bounds the time to open
  options.max_background_jobs = 2;
  options.info_log = std::make_shared<DatabaseLog>(path);
  options.listeners.push_back(std::make_shared<ResumeByHand>());
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family) {
  rocksdb::ColumnFamilyOptions options;
  const bool bulk = family == Family::kLog || family == Family::kCheckpoints;
  options.max_write_buffer_number = 2;
  options.write_buffer_size = bulk ? Database::kBufferedBytesMax / 2 : 16 * kMebibyte;
  options.compression =
      family == Family::kLog ? rocksdb::kZSTD : rocksdb::CompressionType::kNoCompression;
  options.compression_opts.level = 1;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = bulk ? 256 * 1024 : 16 * 1024;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

absl::Status ToStatus(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(std::string(what), ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  if (status.IsNotFound()) return absl::NotFoundError(message);
  return absl::InternalError(message);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         rocksdb::Env* environment) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    families.emplace_back(kFamilyNames[i], FamilyOptions(static_cast<Family>(i)));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  WEFT_TRY(ToStatus(
      rocksdb::DB::Open(DatabaseOptions(path, environment), path, families, &handles, &db), path));
  auto database = std::unique_ptr<Database>(new Database());
  database->db_.reset(db);
  database->default_handle_ = handles[0];
  std::copy(handles.begin() + 1, handles.end(), database->handles_.begin());
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->DestroyColumnFamilyHandle(default_handle_);
  db_->Close();
}

absl::Status Database::Write(rocksdb::WriteBatch& batch, Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::kSynced;
  options.disableWAL = durability == Durability::kUnlogged;
  return ToStatus(db_->Write(options, &batch), "write");
}

absl::StatusOr<std::string> Database::Get(Family family, std::string_view key) const {
  std::string value;
  WEFT_TRY(ToStatus(db_->Get(rocksdb::ReadOptions(), handle(family), ToSlice(key), &value),
                    kFamilyNames[static_cast<std::size_t>(family)]));
  return value;
}

std::unique_ptr<rocksdb::Iterator> Database::Iterate(Family family) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 2 * kMebibyte;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, handle(family)));
}

absl::Status Database::Flush(Family family) {
  return ToStatus(db_->Flush(rocksdb::FlushOptions(), handle(family)), "flush");
}

absl::Status Database::Resume() { return ToStatus(db_->Resume(), "resume"); }

}  // namespace weft::storage
