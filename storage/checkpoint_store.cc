#include "storage/checkpoint_store.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/checkpoint_streams.h"

namespace weft::storage {

// Owns the pages until Commit; drops them otherwise.
class CheckpointWriter final : public graph::CheckpointStore::Writer {
 public:
  CheckpointWriter(RocksCheckpointStore* store, std::uint64_t id)
      : store_(store), id_(id), reopen_count_(store->database_->reopen_count()) {}

  ~CheckpointWriter() override {
    // What cannot be removed now goes when the directory is opened next.
    if (!committed_) store_->Remove(id_).IgnoreError();
    const std::scoped_lock lock(store_->mutex_);
    store_->writer_lives_ = false;
  }

  graph::CheckpointSink& Operator(std::string_view node_name) override {
    for (const auto& sink : sinks_) {
      if (sink->pages().node_name == node_name) return *sink;
    }
    const auto index = static_cast<std::uint32_t>(sinks_.size());
    sinks_.push_back(std::make_unique<PageSink>(store_->database_, id_, index, node_name,
                                                [this] { return AdmitPage(); }));
    return *sinks_.back();
  }

  absl::Status Commit(const graph::CheckpointManifest& manifest) override {
    if (committed_) return absl::FailedPreconditionError("the checkpoint is already committed");
    StoredManifest stored;
    stored.manifest = manifest;
    stored.manifest.id = id_;
    for (const auto& sink : sinks_) {
      WEFT_TRY(sink->Finish());
      stored.operators.push_back(sink->pages());
    }
    WEFT_TRY(store_->cold_->Flush());
    WEFT_TRY(store_->database_->Flush(Family::kCheckpoints));
    if (store_->database_->reopen_count() != reopen_count_) {
      return absl::ResourceExhaustedError("the disk was full while the checkpoint was written");
    }
    rocksdb::WriteBatch batch;
    batch.Put(store_->database_->handle(Family::kCheckpoints), ManifestKey(id_),
              EncodeManifest(stored));
    WEFT_TRY(store_->database_->Write(batch, Durability::kSynced));
    WEFT_TRY(store_->Finish(id_));
    committed_ = true;
    return absl::OkStatus();
  }

 private:
  // Pages that RocksDB holds in memory have yet to find their place on the disk.
  absl::Status AdmitPage() {
    const std::uint64_t bytes = ++page_count_ * RocksCheckpointStore::kPageBytes;
    return store_->space_->Check(std::min(bytes, Database::kBufferedBytesMax));
  }

  RocksCheckpointStore* const store_;
  const std::uint64_t id_;
  const std::uint64_t reopen_count_;
  bool committed_ = false;
  std::atomic<std::uint64_t> page_count_ = 0;  // of all sinks
  std::vector<std::unique_ptr<PageSink>> sinks_;
};

namespace {

class CheckpointReader final : public graph::CheckpointStore::Reader {
 public:
  CheckpointReader(const Database* database, StoredManifest stored)
      : database_(database), stored_(std::move(stored)) {
    for (std::uint32_t i = 0; i < stored_.operators.size(); ++i) {
      sources_.push_back(
          std::make_unique<PageSource>(database_, stored_.manifest.id, i, &stored_.operators[i]));
    }
  }

  const graph::CheckpointManifest& manifest() const override { return stored_.manifest; }

  absl::StatusOr<graph::CheckpointSource*> Operator(std::string_view node_name) override {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (stored_.operators[i].node_name == node_name) return sources_[i].get();
    }
    return absl::NotFoundError(absl::StrCat("checkpoint ", stored_.manifest.id,
                                            " has no state of node ", std::string(node_name)));
  }

 private:
  const Database* const database_;
  const StoredManifest stored_;
  std::vector<std::unique_ptr<PageSource>> sources_;
};

absl::StatusOr<StoredManifest> LoadManifest(const Database& database, std::uint64_t id) {
  absl::StatusOr<std::string> bytes = database.Get(Family::kCheckpoints, ManifestKey(id));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(absl::StrCat("there is no checkpoint ", id));
  }
  WEFT_TRY(bytes.status());
  WEFT_ASSIGN(StoredManifest stored, DecodeManifest(*bytes));
  if (stored.manifest.id != id) {
    return absl::DataLossError(absl::StrCat("checkpoint ", id, " says it is ", stored.manifest.id));
  }
  return stored;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksCheckpointStore>> RocksCheckpointStore::Open(
    Database* database, const DiskSpace* space, RocksColdStore* cold) {
  auto store =
      std::unique_ptr<RocksCheckpointStore>(new RocksCheckpointStore(database, space, cold));
  WEFT_TRY(store->RemoveUnfinished());
  return store;
}

absl::StatusOr<std::vector<RocksCheckpointStore::Entry>> RocksCheckpointStore::Entries() const {
  std::vector<Entry> entries;
  const auto iterator = database_->Iterate(Family::kCheckpoints);
  iterator->SeekToFirst();
  while (iterator->Valid()) {
    WEFT_ASSIGN(const CheckpointKey key, DecodeCheckpointKey(ToView(iterator->key())));
    if (entries.empty() || entries.back().id != key.id) entries.push_back({key.id, false, false});
    if (key.kind == CheckpointKey::kManifest) entries.back().has_manifest = true;
    if (key.kind == CheckpointKey::kVerified) entries.back().verified = true;
    if (key.kind == CheckpointKey::kPage) {
      iterator->Seek(CheckpointPrefix(key.id + 1));
    } else {
      iterator->Next();
    }
  }
  WEFT_TRY(ToStatus(iterator->status(), "checkpoints"));
  return entries;
}

absl::Status RocksCheckpointStore::Remove(std::uint64_t id) {
  // The manifest goes first and durably, so that a checkpoint without all its pages is never
  // listed.
  rocksdb::WriteBatch batch;
  auto* const handle = database_->handle(Family::kCheckpoints);
  batch.Delete(handle, ManifestKey(id));
  batch.DeleteRange(handle, CheckpointPrefix(id), CheckpointPrefix(id + 1));
  return database_->Write(batch, Durability::kSynced);
}

absl::Status RocksCheckpointStore::RemoveUnfinished() {
  WEFT_ASSIGN(const std::vector<Entry> entries, Entries());
  for (const Entry& entry : entries) {
    next_id_ = std::max(next_id_, entry.id + 1);
    if (!entry.has_manifest) WEFT_TRY(Remove(entry.id));
  }
  return absl::OkStatus();
}

absl::Status RocksCheckpointStore::RemoveOld() {
  WEFT_ASSIGN(const std::vector<Entry> entries, Entries());
  std::size_t verified_newer = 0;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (verified_newer >= kKeptCheckpoints) WEFT_TRY(Remove(entry->id));
    if (entry->verified) ++verified_newer;
  }
  return absl::OkStatus();
}

absl::Status RocksCheckpointStore::Finish(std::uint64_t id) {
  WEFT_TRY(Verify(id));
  rocksdb::WriteBatch batch;
  batch.Put(database_->handle(Family::kCheckpoints), VerifiedKey(id), "");
  WEFT_TRY(database_->Write(batch, Durability::kSynced));
  WEFT_TRY(RemoveOld());
  WEFT_ASSIGN(const std::vector<graph::CheckpointManifest> kept, List());
  // The checkpoint is whole whatever becomes of this; what stays now goes after the next.
  cold_->Sweep(kept).IgnoreError();
  return absl::OkStatus();
}

absl::Status RocksCheckpointStore::Verify(std::uint64_t id) const {
  WEFT_ASSIGN(const StoredManifest stored, LoadManifest(*database_, id));
  for (std::uint32_t i = 0; i < stored.operators.size(); ++i) {
    WEFT_TRY(PageSource(database_, id, i, &stored.operators[i]).Verify());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<graph::CheckpointStore::Writer>> RocksCheckpointStore::Begin() {
  WEFT_TRY(space_->Check());
  WEFT_TRY(database_->MakeWritable());
  const std::scoped_lock lock(mutex_);
  if (writer_lives_) {
    return absl::FailedPreconditionError("another checkpoint is being written");
  }
  writer_lives_ = true;
  return std::make_unique<CheckpointWriter>(this, next_id_++);
}

absl::StatusOr<std::vector<graph::CheckpointManifest>> RocksCheckpointStore::List() const {
  WEFT_ASSIGN(const std::vector<Entry> entries, Entries());
  std::vector<graph::CheckpointManifest> manifests;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (!entry->has_manifest) continue;
    absl::StatusOr<StoredManifest> stored = LoadManifest(*database_, entry->id);
    if (stored.ok()) manifests.push_back(std::move(stored->manifest));
  }
  return manifests;
}

absl::StatusOr<std::unique_ptr<graph::CheckpointStore::Reader>> RocksCheckpointStore::Open(
    std::uint64_t id) const {
  WEFT_ASSIGN(StoredManifest stored, LoadManifest(*database_, id));
  return std::make_unique<CheckpointReader>(database_, std::move(stored));
}

}  // namespace weft::storage
