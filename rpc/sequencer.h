// Sequencer: decides, for one feed, what enters the log and where.
//
// It checks a batch against the feed's state (sequence numbers, watermark, limits), gives node ids
// to new keys and a position to the record, and queues it at the LogWriter. The verdict on each
// event is in the record; replay never decides again. Once durable, a record is delivered to the
// graph's feeder, in log order.
//
// An event is identified by (feed, producer, seq). What came before is acknowledged and skipped, a
// gap is OUT_OF_RANGE. The epoch only fences: with each Connect the producer's older session is
// refused from then on. Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/command.h"
#include "graph/metrics.h"
#include "graph/state.h"
#include "rpc/event_columns.h"
#include "rpc/ingest_session.h"
#include "rpc/interner.h"
#include "rpc/log_writer.h"

namespace weft::rpc {

// A record that has become durable, on its way into the graph.
struct DurableRecord {
  graph::LogPosition position;
  graph::TimeUs watermark_us = graph::kBeforeAllTime;
  std::shared_ptr<const graph::EventBatch> events;
  std::optional<graph::Command> command;  // without it and without events only the watermark moves
};

class Sequencer {
 public:
  struct Options {
    std::string feed_name;
    std::uint32_t feed = 0;
    FeedLimits limits;
    std::int64_t lateness_us = 5'000'000;
    // Of event times, against the wall clock; kAfterAllTime: no limit.
    std::int64_t max_ahead_us = 86'400'000'000;
    std::int64_t idle_after_ns = 0;  // 0: no idle marks
  };
  // All outlive the sequencer.
  struct Environment {
    Interner* interner = nullptr;
    LogWriter* writer = nullptr;
    const graph::Clock* clock = nullptr;
    graph::MetricRegistry* metrics = nullptr;
  };
  // Called on the writer's thread, in log order; must not block.
  using Deliver = std::function<void(DurableRecord)>;

  // What became of one batch.
  struct Submitted {
    std::uint64_t end_seq = 0;  // after the batch
    graph::LogPosition
        end;  // after the record; after the feed's latest one if the batch was there already
    std::uint64_t accepted_count = 0;  // events of this batch that the record has
    std::vector<graph::Reject> rejects;
  };
  struct Report {
    graph::LogPosition durable;
    graph::LogPosition applied;
    std::uint64_t producer_count = 0;
    std::uint64_t rejected_count = 0;
    graph::TimeUs watermark_us = graph::kBeforeAllTime;
  };

  Sequencer(Options options, const Environment& environment, Deliver deliver);
  ~Sequencer();

  // Takes up the feed where the log stands. Once, before anything else; everything in the log
  // counts as applied.
  absl::Status Load(const graph::EventLog& log);

  // A session of the producer, which fences its older one. FAILED_PRECONDITION if the producer is
  // not new and `resume` is not set, RESOURCE_EXHAUSTED if there are too many producers,
  // INVALID_ARGUMENT for its name. `progress` is called whenever the session has something to tell;
  // from any thread, and it must not call back.
  absl::StatusOr<std::shared_ptr<IngestSession>> Connect(std::string_view producer, bool resume,
                                                         std::function<void()> progress);
  // One batch without a session, queued when this returns. `append` gives it the next sequence
  // number.
  absl::StatusOr<Submitted> SubmitOnce(std::string_view producer, const v1::EventColumns& columns,
                                       bool append);
  // Queues a command at the feed's end; the position of its record. What SubmitOnce fails with when
  // nothing is taken in.
  absl::StatusOr<graph::LogPosition> SubmitCommand(graph::Command command);
  // The same of a command about what is called `key`, which becomes a node if it is none yet.
  // INVALID_ARGUMENT for a key that no node may have, RESOURCE_EXHAUSTED if there is no room.
  absl::StatusOr<graph::LogPosition> SubmitCommandAbout(
      std::string_view key, const std::function<graph::Command(graph::NodeId)>& make);
  // Waits until the producer's events before `seq` are durable, at most until `deadline_ns` of the
  // clock. The writer's status if that has stopped; what is queued may become durable all the same.
  absl::Status WaitDurable(std::string_view producer, std::uint64_t seq, std::int64_t deadline_ns);
  // Waits until the graph has applied the feed up to `position`, at most until `deadline_ns` of the
  // clock.
  absl::Status WaitApplied(graph::LogPosition position, std::int64_t deadline_ns);
  // How far the events of the producer have been applied.
  std::uint64_t AppliedSeq(std::string_view producer) const;

  // The graph has applied everything before `position`.
  void OnApplied(graph::LogPosition position);
  // The writer has stopped, perhaps for a while: tells everyone who waits for it.
  void OnWriterStopped();
  // Logs an idle mark if the feed has been quiet for long enough. To be called now and then.
  absl::Status Tick();
  // From now on nothing is taken in, and sessions are told so.
  void StartDrain();

  const Options& options() const { return options_; }
  Report GetReport() const;

 private:
  friend class IngestSession;
  // A record between the queue and the graph.
  struct Queued {
    IngestProducer* producer = nullptr;
    std::uint64_t next_seq = 0;
    std::uint64_t entry_count = 1;
    std::vector<graph::Reject> rejects;
    DurableRecord record;
  };

  absl::StatusOr<IngestProducer*> FindProducer(std::string_view name);
  absl::StatusOr<Submitted> Submit(IngestProducer& producer, std::optional<std::uint64_t> epoch,
                                   const ColumnsView& view, bool append);
  absl::Status CheckAccepting() const;
  std::vector<std::shared_ptr<IngestSession>> Sessions() const;
  void Accept(const ColumnsView& view, std::int64_t skip, std::span<graph::NodeId> nodes,
              graph::LogRecord& record, std::vector<graph::NewNode>& new_nodes);
  graph::TimeUs LatestTime() const;
  std::optional<graph::RejectReason> Resolve(const ColumnsView& view, std::int64_t event,
                                             graph::TimeUs latest_us,
                                             std::span<graph::NodeId> nodes,
                                             std::vector<graph::NewNode>& new_nodes);
  graph::LogPosition EnqueueCommand(graph::Command command, std::vector<graph::NewNode> new_nodes);
  void Enqueue(IngestProducer* producer, graph::LogRecord record,
               std::vector<graph::NewNode> new_nodes,
               std::optional<graph::Command> command = std::nullopt);
  void OnDurable(const std::shared_ptr<Queued>& queued);
  void CountVerdicts(const graph::LogRecord& record);
  // Of a session.
  IngestSession::Progress TakeProgress(IngestSession& session);
  bool MayRead(const IngestSession& session) const;

  const Options options_;
  const Environment environment_;
  const Deliver deliver_;
  graph::Counter& accepted_count_;
  graph::Counter& duplicate_count_;
  graph::Counter& batch_count_;
  std::vector<graph::Counter*> reject_counts_;  // by RejectReason

  // Guarded by the writer's order().
  std::map<std::string, std::unique_ptr<IngestProducer>, std::less<>> producers_;
  graph::LogPosition end_;
  graph::TimeUs watermark_us_ = graph::kBeforeAllTime;
  graph::TimeUs newest_us_ = graph::kBeforeAllTime;
  std::int64_t last_record_ns_ = 0;
  bool draining_ = false;

  // How far everything has come. Taken after order(), never before it.
  struct InFlight {
    std::uint64_t end_offset = 0;
    IngestProducer* producer = nullptr;  // null for control records
    std::uint64_t next_seq = 0;
  };
  mutable std::mutex progress_mutex_;
  std::condition_variable progress_changed_;
  std::deque<InFlight> in_flight_;  // durable, not yet applied
  graph::LogPosition durable_end_;
  graph::LogPosition applied_end_;
  std::uint64_t rejected_count_ = 0;
  bool progress_draining_ = false;
};

}  // namespace weft::rpc
