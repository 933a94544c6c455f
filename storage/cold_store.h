// RocksColdStore: graph::ColdStore on the column family cold. What is put waits in memory until
// there is much of it or a checkpoint is written; then it goes to the disk past the write-ahead
// log, and is flushed. Internal to storage/; reached through DataDirectory. Thread rule: any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/cold_store.h"
#include "graph/log_record.h"
#include "graph/state.h"
#include "storage/database.h"

namespace weft::storage {

class RocksColdStore final : public graph::ColdStore {
 public:
  // Bytes that wait in memory before they are written, unless the disk is full.
  static constexpr std::size_t kWaitingBytes = std::size_t{32} << 20;

  // The database outlives the store.
  static absl::StatusOr<std::unique_ptr<RocksColdStore>> Open(Database* database);

  void Put(std::string_view name, std::string bytes) override;
  absl::StatusOr<std::string> Get(std::string_view name) const override;
  void Forget(std::string_view name, graph::LogPosition from) override;

  // Makes everything durable that was put and forgotten. RESOURCE_EXHAUSTED on a full disk: it then
  // still waits.
  absl::Status Flush();
  // Lets go of what no checkpoint needs, of all that there are: what nobody asks for from places of
  // the log on that all of its graph have, and everything of nodes that none of them has.
  absl::Status Sweep(std::span<const graph::CheckpointManifest> kept);

 private:
  // By what the names of a node begin with, the places of the log that all checkpoints have it at.
  using Needed = std::map<std::string, std::vector<graph::LogPosition>, std::less<>>;

  explicit RocksColdStore(Database* database) : database_(database) {}
  absl::Status FlushLocked();
  absl::Status SweepForgotten(const Needed& needed);
  absl::Status SweepOthers(const Needed& needed);

  Database* const database_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::string, std::less<>> waiting_;  // by key
  std::size_t waiting_bytes_ = 0;
  std::map<std::string, graph::LogPosition, std::less<>> forgotten_;  // by name, on the disk or not
  std::vector<std::string> forgotten_waiting_;                        // names of those that are not
};

}  // namespace weft::storage
