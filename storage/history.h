// History: which events every node had, kept beyond what operators remember of it. Written from the
// log now and then, in blocks of 128 events of one node (storage/format.md); what the log has more
// is read from there, so that nothing is missing in between.
//
//   WEFT_TRY(directory->history().TakeIn(position));  // after a checkpoint
//   WEFT_ASSIGN(auto pasts, directory->history().Latest({.feed = 1, .nodes = nodes, .limit =
//   100}));
//
// Thread rule: any thread; one TakeIn at a time, beside which everything can be read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/state.h"
#include "graph/time.h"

namespace rocksdb {
class WriteBatch;
}

namespace weft::storage {

class Database;
class DiskSpace;
class RocksEventLog;
struct HistoryBlock;
struct HistoryKey;
struct HistoryMark;

// A node's side of one event. Of an event from a node to itself there is one, which is `sent`.
struct HistoryEntry {
  graph::TimeUs time_us = 0;
  graph::NodeId peer = graph::kNoNode;
  bool sent = false;         // the node was the event's source
  std::uint64_t offset = 0;  // the event's place in the log of the feed
  bool operator==(const HistoryEntry&) const = default;
};

// What is forgotten. Done in blocks, so that up to two blocks more are kept of a node, and what is
// too old goes some checkpoints later.
struct HistoryRetention {
  std::uint64_t events_per_node = 0;  // the latest ones are kept; 0: all
  std::int64_t max_age_us = 0;        // of event time, against the feed's watermark; 0: any
};

// What there is of a feed.
struct HistoryExtent {
  std::uint64_t begin = 0;  // offset of the log from which on events were taken in
  std::uint64_t end = 0;    // up to here they are in blocks; the rest is in the log
  // The earliest time of an event since `begin`; kAfterAllTime before the first event.
  graph::TimeUs first_us = graph::kAfterAllTime;
  // The time from which on all events are there, but for what events_per_node forgets; nothing if
  // that is so from the feed's first event on.
  std::optional<graph::TimeUs> complete_from_us;
};

class History {
 public:
  // Events of the log that are not in blocks yet and that Latest reads at most.
  static constexpr std::uint64_t kTailEventsMax = std::uint64_t{1} << 24;

  struct Query {
    std::uint32_t feed = 0;
    std::span<const graph::NodeId> nodes = {};        // each once; kNoNode has no past
    graph::TimeUs before_us = graph::kAfterAllTime;   // events of earlier times only
    std::uint64_t before_offset = ~std::uint64_t{0};  // events at smaller offsets only
    std::int64_t limit = 0;                           // events of each node
  };
  // Of one node.
  struct Past {
    std::vector<HistoryEntry> entries;  // in the order of the log, the latest first
    bool more = false;                  // there are earlier ones, over the limit
    // Earlier ones were forgotten; the time of the earliest one that is kept. Only if it was needed
    // to answer the query.
    std::optional<graph::TimeUs> kept_from_us = {};
  };

  // All outlive the history.
  History(Database* database, const DiskSpace* space, const RocksEventLog* log,
          const HistoryRetention& retention);

  // Takes in what the log has from where the history ends up to `end`, in pieces, each durable
  // before the next; after a crash it goes on where it was, and every event is in it once. Begins
  // anew where the log no longer has what comes next. RESOURCE_EXHAUSTED on a full disk; DATA_LOSS.
  absl::Status TakeIn(graph::LogPosition end);
  // The offset of the feed's log up to which it has taken in; the records from there on must be
  // kept, for the history to have no hole.
  absl::StatusOr<std::uint64_t> NeededFrom(std::uint32_t feed) const;

  absl::StatusOr<HistoryExtent> Extent(std::uint32_t feed) const;
  // One Past a node, in the order of the query. DATA_LOSS for a damaged block; UNAVAILABLE while
  // there are more than kTailEventsMax events that the history has not taken in.
  absl::StatusOr<std::vector<Past>> Latest(const Query& query) const;

 private:
  absl::StatusOr<std::optional<HistoryMark>> ReadMark(std::uint32_t feed) const;
  absl::StatusOr<std::optional<HistoryBlock>> ReadBlock(std::uint32_t feed, graph::NodeId node,
                                                        std::uint64_t number) const;
  absl::StatusOr<HistoryMark> CurrentMark(std::uint32_t feed) const;
  graph::TimeUs OldestKept(const HistoryMark& mark) const;
  absl::Status BeginAnew(std::uint32_t feed);
  absl::Status TakePiece(std::uint32_t feed, std::uint64_t end, HistoryMark mark);
  void Grow(HistoryKey key, const HistoryEntry& entry, HistoryBlock& block,
            rocksdb::WriteBatch& batch) const;
  void PutBlock(const HistoryKey& key, const HistoryBlock& block, rocksdb::WriteBatch& batch) const;
  absl::Status Sweep(std::uint32_t feed);
  absl::Status ReadTail(const Query& query, std::uint64_t begin, std::vector<Past>& pasts) const;
  absl::Status ReadBlocks(const Query& query, const HistoryMark& mark, graph::NodeId node,
                          Past& past) const;
  std::uint64_t kept_blocks() const;

  Database* const database_;
  const DiskSpace* const space_;
  const RocksEventLog* const log_;
  const HistoryRetention retention_;
  // The key at which the next sweep of a feed goes on; empty: from its end. TakeIn's only.
  std::map<std::uint32_t, std::string> sweep_from_;
};

}  // namespace weft::storage
