// OutputHub: from the graph's outputs to whoever subscribed. A subscriber has a bounded queue; when
// it is full the oldest packet goes and its rows are counted, so that nobody who is slow holds up
// the graph. Thread rule: any thread; Attach before the graph starts.
#pragma once

#include <cstdint>
#include <deque>
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
#include "graph/packet.h"
#include "rpc/message_stream.h"

namespace weft::rpc {

class OutputHub {
 public:
  struct Options {
    int max_subscribers = 64;
    int subscriber_queue = 256;  // packets
  };

  // One subscriber's queue.
  class Subscription {
   public:
    // The oldest that waits; nothing if none does.
    std::optional<graph::Packet> Next();
    // Rows lost so far.
    std::uint64_t dropped_count() const;
    // The hub has closed; what waits can still be taken.
    bool closed() const;
    // The node of the graph that the packets come from.
    const std::string& node() const { return node_; }
    // No more calls of ready() once this has returned.
    void Close();

   private:
    friend class OutputHub;
    void Put(const graph::Packet& packet, std::size_t capacity, graph::Counter& dropped);
    void End();

    std::string node_;
    mutable std::mutex mutex_;
    std::deque<graph::Packet> queue_;
    std::uint64_t dropped_count_ = 0;
    bool closed_ = false;
    std::mutex ready_mutex_;
    StreamReady ready_;  // guarded by ready_mutex_
  };

  // `metrics` outlives the hub.
  OutputHub(const Options& options, graph::MetricRegistry* metrics);

  // Takes up every output of `spec`. The hub outlives the graph.
  absl::Status Attach(graph::Graph& graph, const graph::ParsedSpec& spec);
  // `output` empty means the first one of packets of `type`. `ready` is called when something was
  // queued, on an executor thread. NOT_FOUND for an output that has no such packets, which errors
  // call `what`; RESOURCE_EXHAUSTED with too many subscribers.
  absl::StatusOr<std::shared_ptr<Subscription>> Subscribe(std::string_view type,
                                                          std::string_view what,
                                                          std::string_view output,
                                                          StreamReady ready);
  // Ends all subscriptions and takes no more.
  void Close();

 private:
  struct Output {
    std::string name;
    std::string type;
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
