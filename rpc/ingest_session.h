// IngestSession: one producer's connection to a sequencer, as an Ingest stream has it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "graph/log_record.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

class Sequencer;
struct IngestProducer;  // what the sequencer knows of a producer

// Thread rule: any thread; the sequencer outlives it.
class IngestSession {
 public:
  // What there is to tell the client.
  struct Progress {
    std::uint64_t durable_seq = 0;
    std::uint64_t applied_seq = 0;
    std::uint64_t credits = 0;           // beyond durable_seq
    std::vector<graph::Reject> rejects;  // told once
    graph::LogPosition position;         // after the last durable record; offset 0 before that
    bool draining = false;
    bool fenced = false;  // a newer session has taken over
  };

  // Queues a batch for the log. INVALID_ARGUMENT for a malformed one, OUT_OF_RANGE for a gap,
  // ABORTED once fenced, UNAVAILABLE while draining, RESOURCE_EXHAUSTED on a full disk. The session
  // is of no more use then.
  absl::Status Submit(const v1::EventColumns& columns);
  // The state now, with the rejects since the last call.
  Progress TakeProgress();
  // Whether more may be taken in; if not, progress() is called when it may.
  bool MayRead() const;
  // Everything sent before this session began is durable, so that first_seq() can be told.
  bool Ready() const;
  // Why nothing becomes durable for now, or any more; ok otherwise.
  absl::Status writer_status() const;
  // No more calls of progress() once this has returned.
  void Close();

  std::uint64_t epoch() const { return epoch_; }
  // Where the client goes on.
  std::uint64_t first_seq() const { return first_seq_; }
  // Digest of the event before.
  std::uint64_t last_digest() const { return last_digest_; }
  // After the last event queued.
  std::uint64_t end_seq() const;

 private:
  friend class Sequencer;
  IngestSession() = default;
  void Notify();

  Sequencer* sequencer_ = nullptr;
  IngestProducer* producer_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::uint64_t first_seq_ = 0;
  std::uint64_t last_digest_ = 0;

  // Guarded by the sequencer's progress mutex.
  std::uint64_t end_seq_ = 0;
  std::vector<graph::Reject> rejects_;
  bool fenced_ = false;

  std::mutex notify_mutex_;
  std::function<void()> progress_;  // guarded by notify_mutex_
};

}  // namespace weft::rpc
