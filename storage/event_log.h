// RocksEventLog: graph::EventLog on the column families log, ends and producers (nodes are written
// with the records that bring them). One WriteBatch, fsynced, for each Append. Internal to
// storage/; reached through DataDirectory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "graph/state.h"
#include "storage/database.h"
#include "storage/disk_space.h"

namespace weft::storage {

class RocksEventLog final : public graph::EventLog {
 public:
  // Both outlive the log. DATA_LOSS if what is stored contradicts itself.
  static absl::StatusOr<std::unique_ptr<RocksEventLog>> Open(Database* database,
                                                             const DiskSpace* space);

  absl::Status Append(std::span<const graph::LogAppend> appends) override;
  // Besides what the interface says: OUT_OF_RANGE if `from` is past the end, or was trimmed away.
  absl::Status Read(
      graph::LogPosition from,
      const std::function<absl::Status(const graph::LogRecord&)>& visit) const override;
  graph::LogPosition End(std::uint32_t feed) const override;
  absl::StatusOr<std::vector<graph::ProducerState>> Producers(std::uint32_t feed) const override;

  // The position of the feed's first entry that is still there; the end if there is none.
  absl::StatusOr<graph::LogPosition> Begin(std::uint32_t feed) const;
  // Forgets the records that end at or before `first_kept`.
  absl::Status Trim(graph::LogPosition first_kept);

 private:
  RocksEventLog(Database* database, const DiskSpace* space) : database_(database), space_(space) {}
  absl::Status LoadEnds();
  absl::Status CheckEnd(graph::LogPosition end) const;

  Database* const database_;
  const DiskSpace* const space_;
  absl::Status broken_;          // Append's thread only
  std::uint64_t next_node_ = 0;  // Append's thread only
  mutable std::mutex mutex_;
  std::map<std::uint32_t, graph::LogPosition> ends_;  // guarded by mutex_
};

}  // namespace weft::storage
