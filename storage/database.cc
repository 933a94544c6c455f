#include "storage/database.h"

#include <algorithm>
#include <vector>

#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/database_log.h"

namespace weft::storage {
namespace {

constexpr std::array<const char*, kFamilyCount> kFamilyNames = {
    "log", "ends", "producers", "nodes", "feeds", "checkpoints", "history", "cold"};
constexpr std::size_t kMebibyte = std::size_t{1} << 20;

constexpr const char* kClosed = "the disk was full, and the database could not be opened again";

// Notes that the disk was full, also where that happens in the background. RocksDB's own ways out,
// by itself after a while or when it is told to, are not taken: release 7.8 goes on in a torn
// write-ahead log when nothing is in memory, which ends the process, and waits for ever for a flush
// that it scheduled just before the error.
class FullDiskListener final : public rocksdb::EventListener {
 public:
  explicit FullDiskListener(std::atomic<bool>* was_full) : was_full_(was_full) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (error->IsNoSpace()) *was_full_ = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::atomic<bool>* const was_full_;
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
  options.avoid_flush_during_shutdown = true;  // ~Database does, unless the disk is full
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family) {
  rocksdb::ColumnFamilyOptions options;
  const bool bulk =
      family == Family::kLog || family == Family::kCheckpoints || family == Family::kCold;
  options.max_write_buffer_number = 2;
  options.write_buffer_size = bulk ? Database::kBufferedBytesMax / 2 : 16 * kMebibyte;
  options.compression =
      family == Family::kLog ? rocksdb::kZSTD : rocksdb::CompressionType::kNoCompression;
  options.compression_opts.level = 1;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = bulk ? 256 * 1024 : 16 * 1024;
  table.format_version = 5;
  // Most nodes that are looked for there are new to it.
  constexpr double kFilterBitsPerKey = 10;
  if (family == Family::kHistory)
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
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

// RocksDB and its families, closed when nobody reads any more.
struct Database::Opened {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // the default family's first

  ~Opened() {
    if (db == nullptr) return;
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
    db->Close();
  }
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles[static_cast<std::size_t>(family) + 1];
  }
};

// Names a family in a batch, whichever opening the batch will be written to.
class Database::FamilyHandle final : public rocksdb::ColumnFamilyHandle {
 public:
  FamilyHandle(std::string name, std::uint32_t id) : name_(std::move(name)), id_(id) {}
  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return id_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override {
    return rocksdb::Status::NotSupported("only for batches");
  }
  const rocksdb::Comparator* GetComparator() const override {
    return rocksdb::BytewiseComparator();
  }

 private:
  const std::string name_;
  const std::uint32_t id_;
};

Database::Database(std::string path, rocksdb::Env* environment, const DiskSpace* space)
    : path_(std::move(path)), environment_(environment), space_(space) {}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         rocksdb::Env* environment,
                                                         const DiskSpace* space) {
  auto database = std::unique_ptr<Database>(new Database(path, environment, space));
  WEFT_ASSIGN(database->opened_, database->OpenFiles());
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const rocksdb::ColumnFamilyHandle& opened = *database->opened_->handles[i + 1];
    database->handles_[i] = std::make_unique<FamilyHandle>(opened.GetName(), opened.GetID());
  }
  return database;
}

absl::StatusOr<std::shared_ptr<Database::Opened>> Database::OpenFiles() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    families.emplace_back(kFamilyNames[i], FamilyOptions(static_cast<Family>(i)));
  }
  rocksdb::DBOptions options = DatabaseOptions(path_, environment_);
  options.listeners.push_back(std::make_shared<FullDiskListener>(&was_full_));
  auto opened = std::make_shared<Opened>();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path_, families, &opened->handles, &db);
  opened->db.reset(db);
  WEFT_TRY(ToStatus(status, path_));
  return opened;
}

Database::~Database() {
  if (opened_ == nullptr || was_full_) return;
  // What cannot be flushed is in the write-ahead log.
  for (std::size_t i = 0; i < kFamilyCount; ++i) Flush(static_cast<Family>(i)).IgnoreError();
}

rocksdb::ColumnFamilyHandle* Database::handle(Family family) const {
  return handles_[static_cast<std::size_t>(family)].get();
}

std::shared_ptr<Database::Opened> Database::Current() const {
  const std::scoped_lock lock(mutex_);
  return opened_;
}

absl::Status Database::Write(rocksdb::WriteBatch& batch, Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::kSynced;
  options.disableWAL = durability == Durability::kUnlogged;
  return WhenWritable("write", [&](Opened& opened) { return opened.db->Write(options, &batch); });
}

absl::StatusOr<std::string> Database::Get(Family family, std::string_view key) const {
  const std::shared_ptr<Opened> opened = Current();
  if (opened == nullptr) return absl::ResourceExhaustedError(kClosed);
  std::string value;
  WEFT_TRY(ToStatus(
      opened->db->Get(rocksdb::ReadOptions(), opened->handle(family), ToSlice(key), &value),
      kFamilyNames[static_cast<std::size_t>(family)]));
  return value;
}

std::unique_ptr<rocksdb::Iterator> Database::Iterate(Family family) const {
  auto opened = std::make_unique<std::shared_ptr<Opened>>(Current());
  if (*opened == nullptr) {
    return std::unique_ptr<rocksdb::Iterator>(
        rocksdb::NewErrorIterator(rocksdb::Status::NoSpace(kClosed)));
  }
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 2 * kMebibyte;
  auto iterator = std::unique_ptr<rocksdb::Iterator>(
      (*opened)->db->NewIterator(options, (*opened)->handle(family)));
  // RocksDB stays open as long as somebody reads.
  iterator->RegisterCleanup(
      [](void* held, void*) { delete static_cast<std::shared_ptr<Opened>*>(held); },
      opened.release(), nullptr);
  return iterator;
}

absl::Status Database::Flush(Family family) {
  return WhenWritable("flush", [&](Opened& opened) {
    return opened.db->Flush(rocksdb::FlushOptions(), opened.handle(family));
  });
}

template <class Action>
absl::Status Database::WhenWritable(std::string_view what, const Action& action) {
  WEFT_TRY(MakeWritable());
  const std::shared_ptr<Opened> opened = Current();
  if (opened == nullptr) return absl::ResourceExhaustedError(kClosed);
  const rocksdb::Status status = action(*opened);
  if (status.IsNoSpace()) was_full_ = true;
  return ToStatus(status, what);
}

absl::Status Database::MakeWritable() {
  if (!was_full_) return absl::OkStatus();
  const std::scoped_lock lock(mutex_);
  if (!was_full_) return absl::OkStatus();
  if (opened_ != nullptr) {
    std::uint64_t buffered_bytes = 0;
    opened_->db->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables,
                                          &buffered_bytes);
    // Until there is room to open it, what is open can at least be read.
    WEFT_TRY(space_->CheckWithinReserve(buffered_bytes + kOpenBytes));
    if (opened_.use_count() > 1) {
      return absl::ResourceExhaustedError("the disk was full, and the database is being read");
    }
    opened_.reset();
  }
  was_full_ = false;
  absl::StatusOr<std::shared_ptr<Opened>> opened = OpenFiles();
  if (!opened.ok()) {
    was_full_ = true;
    return opened.status();
  }
  opened_ = *std::move(opened);
  ++reopen_count_;
  return absl::OkStatus();
}

}  // namespace weft::storage
