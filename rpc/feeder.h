// Feeder: one feed's way from the log into the graph. Its thread waits where the graph is slower
// than the log, so that no gRPC thread and not the log's writer have to.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "graph/graph.h"
#include "rpc/sequencer.h"

namespace weft::rpc {

class Feeder {
 public:
  // `graph` and `log` outlive the feeder. `failed` is called once, with what ended the feeding; the
  // graph is closed then.
  Feeder(graph::Graph* graph, const graph::EventLog* log, std::string input,
         std::function<void(const absl::Status&)> failed);
  // Leaves what is still queued; it is in the log.
  ~Feeder();

  // Replays the log from `from` to its end, then feeds what is delivered. The graph has been
  // started.
  void Start(graph::LogPosition from);
  // Waits until the replay has been pushed. The error that ended the feeding, if any.
  absl::Status WaitReplayed();
  // Queues a record; never blocks. Records come in log order, the first after the end of the log at
  // Start.
  void Deliver(DurableRecord record);
  // Waits until everything delivered so far has been pushed into the graph.
  absl::Status Flush();

  // What the replay has pushed so far.
  struct Replayed {
    std::uint64_t entry_count = 0;
    std::uint64_t event_count = 0;
  };
  Replayed replayed() const;

 private:
  void Run(graph::LogPosition from);
  absl::Status Replay(graph::LogPosition from);
  absl::Status Push(DurableRecord record);
  void End(const absl::Status& status);

  graph::Graph* const graph_;
  const graph::EventLog* const log_;
  const std::string input_;
  const std::function<void(const absl::Status&)> failed_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DurableRecord> queue_;
  std::uint64_t delivered_count_ = 0;
  std::uint64_t pushed_count_ = 0;
  Replayed replayed_;
  bool replay_done_ = false;
  bool stopping_ = false;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace weft::rpc
