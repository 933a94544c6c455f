// PredictionHub: from the graph's outputs of link scores to whoever subscribed. A subscriber has a
// bounded queue; when it is full the oldest goes and is counted, so that nobody who is slow holds
// up the graph. Thread rule: any thread; Attach before the graph starts.
#pragma once

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
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "operators/link/link_types.h"

namespace weft::rpc {

// One packet of scores.
struct PredictionBatch {
  std::shared_ptr<const operators::link::LinkScores> scores;
  graph::LogPosition position;
};

class PredictionHub {
 public:
  struct Options {
    int max_subscribers = 64;
    int subscriber_queue = 256;  // packets
  };

  // One subscriber's queue.
  class Subscription {
   public:
    // The oldest that waits; nothing if none does.
    std::optional<PredictionBatch> Next();
    // Predictions lost so far.
    std::uint64_t dropped_count() const;
    // The hub has closed; what waits can still be taken.
    bool closed() const;
    // The node of the graph that gives the scores.
    const std::string& node() const { return node_; }
    // No more calls of ready() once this has returned.
    void Close();

   private:
    friend class PredictionHub;
    void Put(const PredictionBatch& batch, std::size_t capacity, graph::Counter& dropped);
    void End();

    std::string node_;
    mutable std::mutex mutex_;
    std::deque<PredictionBatch> queue_;
    std::uint64_t dropped_count_ = 0;
    bool closed_ = false;
    std::mutex ready_mutex_;
    std::function<void()> ready_;  // guarded by ready_mutex_
  };

  // `metrics` outlives the hub.
  PredictionHub(const Options& options, graph::MetricRegistry* metrics);

  // Takes up every output of `spec` that carries link scores. The hub outlives the graph.
  absl::Status Attach(graph::Graph& graph, const graph::ParsedSpec& spec);
  // `output` empty means the first. `ready` is called when something was queued, on an executor
  // thread: it must be short. NOT_FOUND for an output that carries no link scores,
  // RESOURCE_EXHAUSTED with too many subscribers.
  absl::StatusOr<std::shared_ptr<Subscription>> Subscribe(std::string_view output,
                                                          std::function<void()> ready);
  // Ends all subscriptions and takes no more.
  void Close();

 private:
  struct Output {
    std::string name;
    std::string node;
    std::vector<std::weak_ptr<Subscription>> subscriptions;
  };
  void Publish(Output& output, const graph::Packet& packet);
  std::size_t CountSubscribers();

  const Options options_;
  graph::Counter& dropped_count_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Output>> outputs_;  // guarded by mutex_
  bool closed_ = false;                           // guarded by mutex_
};

}  // namespace weft::rpc
