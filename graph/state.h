// What the engine and the operators need from outside, as interfaces: the log, what survives in it,
// checkpoints, the clock and randomness. storage/ implements the first four on RocksDB; tests
// implement them in memory and with faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "graph/log_record.h"
#include "graph/time.h"

namespace weft::graph {

// ------------------------------------------------------------------------------------------------
// the log

// What the store remembers of one producer of one feed, written with every record of that producer.
struct ProducerState {
  std::uint32_t feed = 0;
  std::uint64_t producer = 0;
  std::uint64_t next_seq = 0;  // the first sequence number not yet in the log
  std::uint64_t epoch = 0;     // fences older connections; assigned by the server
  std::uint64_t digest =
      0;              // of the last acknowledged event, so that a resumed file can be checked
  std::string owner;  // the token's name that created the producer; empty on loopback
  std::string name;   // what the client calls itself
};

// A key that gets its node id with this write.
struct NewNode {
  NodeId id = kNoNode;
  std::string key;
};

// One record on its way into the log, with everything that has to become durable at the same
// moment.
struct LogAppend {
  LogPosition position;
  std::uint64_t entry_count = 1;
  std::string bytes;  // EncodeLogRecord
  std::optional<ProducerState> producer;
  std::vector<NewNode> new_nodes;
};

// The durable log. Append is called by one thread at a time; reads may run beside it and see whole
// records only.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Writes all of `appends` in one atomic, fsynced step. Positions must continue the feed without a
  // hole (FAILED_PRECONDITION otherwise). RESOURCE_EXHAUSTED when the disk is full: nothing was
  // written, the log stays usable. Any other error: the log refuses further writes until reopened.
  virtual absl::Status Append(std::span<const LogAppend> appends) = 0;

  // Calls `visit` with each record of the feed from the one that holds `from.offset` on, in order,
  // until the end or until `visit` returns an error, which is returned. A corrupt record is
  // DATA_LOSS with its position.
  virtual absl::Status Read(LogPosition from,
                            const std::function<absl::Status(const LogRecord&)>& visit) const = 0;

  // The position after the feed's last entry; offset 0 for a feed without records.
  virtual LogPosition End(std::uint32_t feed) const = 0;

  // Every producer of the feed, for the sequencer at start.
  virtual absl::StatusOr<std::vector<ProducerState>> Producers(std::uint32_t feed) const = 0;
};

// Node keys and feeds. Ids are given out by the sequencer (NewNode) and become durable with the
// record that first uses them.
class Dictionary {
 public:
  virtual ~Dictionary() = default;
  // Calls `visit` with every node in id order, for the sequencer's in-memory table at start.
  virtual absl::Status ReadNodes(
      const std::function<void(NodeId, std::string_view)>& visit) const = 0;
  // The key of a node; NOT_FOUND for an id never given out, or one that was forgotten.
  virtual absl::StatusOr<std::string> Key(NodeId node) const = 0;
  // The number of a feed's name, given out on first use and durable when this returns.
  virtual absl::StatusOr<std::uint32_t> FeedNumber(std::string_view name) = 0;
  // The names that have a number, in the order of their numbers: that of the first is 1.
  virtual std::vector<std::string> Feeds() const = 0;
};

// ------------------------------------------------------------------------------------------------
// checkpoints

// Receives one operator's state, as sections of bytes in a fixed order. Section names are the
// operator's own
// ("weights", "rows"); a section may be written in pieces. The sink may be called from any one
// thread at a time.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;
  virtual absl::Status Write(std::string_view section, std::span<const std::byte> bytes) = 0;
};

// Gives the state back: sections in the order and with the total length in which they were written.
class CheckpointSource {
 public:
  virtual ~CheckpointSource() = default;
  // Fills `bytes` with the next bytes of `section`. DATA_LOSS if the section has fewer left or
  // another name is next.
  virtual absl::Status Read(std::string_view section, std::span<std::byte> bytes) = 0;
  // Bytes of `section` not yet read; 0 when it does not exist.
  virtual std::uint64_t Remaining(std::string_view section) const = 0;
};

// What a checkpoint says of itself.
struct CheckpointManifest {
  struct OperatorEntry {
    std::string name;           // of the node in the graph spec
    std::string operator_name;  // of the registered operator
    std::uint32_t state_version = 0;
    std::uint64_t bytes = 0;
    std::uint64_t hash = 0;  // XXH3 of its sections; 0 for approximate operators
  };
  std::uint64_t id = 0;     // rises
  std::string spec_digest;  // of the graph spec that wrote it
  std::vector<LogPosition>
      applied;  // per input feed: the position after the last entry that the state contains
  std::vector<OperatorEntry> operators;
  std::uint64_t state_hash = 0;  // over the exact operators' hashes, in spec order
};

// Keeps checkpoints. At least two restorable ones stay until the newer has been verified.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // One checkpoint being written; dropped without a trace unless Commit returned ok.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual CheckpointSink& Operator(std::string_view node_name) = 0;
    // Durable when it returns ok.
    virtual absl::Status Commit(const CheckpointManifest& manifest) = 0;
  };
  // A stored checkpoint being read.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual const CheckpointManifest& manifest() const = 0;
    // NOT_FOUND if the checkpoint has no state of that node.
    virtual absl::StatusOr<CheckpointSource*> Operator(std::string_view node_name) = 0;
  };

  virtual absl::StatusOr<std::unique_ptr<Writer>> Begin() = 0;
  // Restorable checkpoints, newest first.
  virtual absl::StatusOr<std::vector<CheckpointManifest>> List() const = 0;
  virtual absl::StatusOr<std::unique_ptr<Reader>> Open(std::uint64_t id) const = 0;
};

// ------------------------------------------------------------------------------------------------
// the world

// Processing time, for metrics, deadlines, idle marks and the verdict on times far ahead. Never
// shapes state but through the log.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t NowNs() const = 0;  // monotonic
  virtual TimeUs WallTimeUs() const = 0;   // since 1970, UTC
};

}  // namespace weft::graph
