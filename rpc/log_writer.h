// LogWriter: the one thread that writes the log. Sequencers queue records in the order in which
// they gave out positions and node ids; the thread takes all that wait and writes them with one
// fsync (a group), so that fsyncs are merged and batches never are.
//
// A full disk does not lose what is queued: the writer keeps it and tries again; meanwhile status()
// is RESOURCE_EXHAUSTED and the sequencers refuse more. Any other failure is final.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "graph/metrics.h"
#include "graph/state.h"

namespace weft::rpc {

class LogWriter {
 public:
  struct Entry {
    graph::LogAppend append;
    // Called on the writer's thread once the entry is durable, in queue order.
    std::function<void()> durable;
  };

  // Both outlive the writer. `stopped` is called on the writer's thread whenever writing stops:
  // with RESOURCE_EXHAUSTED once for each time that the disk becomes full, else with the final
  // failure.
  LogWriter(graph::EventLog* log, graph::MetricRegistry* metrics,
            std::function<void(const absl::Status&)> stopped);
  // Writes what is queued, unless the disk is full or the log has failed.
  ~LogWriter();

  // Held by whoever gives out positions or node ids, from then until Enqueue.
  std::mutex& order() { return order_; }
  // With order() held.
  void Enqueue(Entry entry);
  // Ok, RESOURCE_EXHAUSTED while the disk is full, or what ended the log.
  absl::Status status() const;
  // Waits until everything queued so far is durable; the status if that cannot be.
  absl::Status Flush();

 private:
  void Run();
  bool Write(const std::vector<graph::LogAppend>& appends);
  bool WaitForWork(std::vector<Entry>& group);
  void Finish(std::vector<Entry>& group);

  graph::EventLog* const log_;
  const std::function<void(const absl::Status&)> stopped_;
  graph::Histogram& write_seconds_;
  graph::Counter& group_count_;
  graph::Counter& byte_count_;
  graph::Gauge& disk_full_;

  std::mutex order_;
  mutable std::mutex mutex_;  // guards what follows; taken after order_
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  absl::Status status_;
  std::uint64_t queued_count_ = 0;
  std::uint64_t durable_count_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weft::rpc
