// RocksCheckpointStore: graph::CheckpointStore on the column family checkpoints. Operators' states
// lie there in pages with checksums. Pages bypass the write-ahead log (they would hold up the
// fsyncs of ingest); a checkpoint exists from the moment its manifest, written last and fsynced, is
// there. Commit then reads everything back and compares hashes; only after that are older
// checkpoints deleted, down to two verified ones, and cold state that only they needed. Cold state
// is durable before the manifest of a checkpoint that refers to it. Internal to storage/; reached
// through DataDirectory. Thread rule: any thread; one Writer at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "graph/state.h"
#include "storage/checkpoint_format.h"
#include "storage/cold_store.h"
#include "storage/database.h"
#include "storage/disk_space.h"

namespace weft::storage {

class RocksCheckpointStore final : public graph::CheckpointStore {
 public:
  static constexpr std::size_t kPageBytes = std::size_t{1} << 20;
  // Verified checkpoints that are kept.
  static constexpr std::size_t kKeptCheckpoints = 2;

  // All outlive the store and everything that it hands out. Removes what an unfinished writer left.
  static absl::StatusOr<std::unique_ptr<RocksCheckpointStore>> Open(Database* database,
                                                                    const DiskSpace* space,
                                                                    RocksColdStore* cold);

  // FAILED_PRECONDITION while another writer lives, RESOURCE_EXHAUSTED on a full disk; the writer
  // says that as well, as soon as its pages leave no room.
  absl::StatusOr<std::unique_ptr<Writer>> Begin() override;
  // Leaves out manifests that cannot be read.
  absl::StatusOr<std::vector<graph::CheckpointManifest>> List() const override;
  // NOT_FOUND for an unknown id, DATA_LOSS if its manifest is damaged.
  absl::StatusOr<std::unique_ptr<Reader>> Open(std::uint64_t id) const override;

  // Reads every page of a checkpoint and compares with what was written. DATA_LOSS if something
  // differs.
  absl::Status Verify(std::uint64_t id) const;

 private:
  friend class CheckpointWriter;

  struct Entry {
    std::uint64_t id = 0;
    bool has_manifest = false;
    bool verified = false;
  };

  RocksCheckpointStore(Database* database, const DiskSpace* space, RocksColdStore* cold)
      : database_(database), space_(space), cold_(cold) {}
  absl::StatusOr<std::vector<Entry>> Entries() const;
  absl::Status Remove(std::uint64_t id);
  absl::Status RemoveOld();
  absl::Status RemoveUnfinished();
  // What a finished writer calls: verifies, marks, removes what is old.
  absl::Status Finish(std::uint64_t id);

  Database* const database_;
  const DiskSpace* const space_;
  RocksColdStore* const cold_;
  std::mutex mutex_;
  std::uint64_t next_id_ = 1;  // guarded by mutex_
  bool writer_lives_ = false;  // guarded by mutex_
};

}  // namespace weft::storage
