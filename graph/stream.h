// How packets travel inside a running graph. Internal to graph/.
//
// Order. Inputs that meet in some operator share an Ingress (ingress.h), which lets their packets
// in one at a time and numbers them. All that is computed from row r of the n-th packet carries the
// key (n, r): r is the first row of the micro-batch that an operator directly behind the input cut,
// and what descends from it inherits the key. Keys never fall along a stream, and an operator with
// several inputs always takes the micro-batch with the smallest key next, of equal keys the one on
// the earlier port. The order therefore depends on the log alone, never on scheduling.
//
// Frontier. Every stream knows a key below which nothing more will come, so that an operator need
// not wait for packets on a port that has nothing to say.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "graph/metrics.h"
#include "graph/packet.h"
#include "graph/run_state.h"

namespace weft::graph {

class Barrier;
struct SentCommand;  // graph/command.h

struct OrderKey {
  std::uint64_t sequence = 0;
  std::uint64_t row = 0;
  auto operator<=>(const OrderKey&) const = default;
};

// What a stream holds: a packet or a cut, which is a barrier or a command. An operator takes a cut
// once it stands at all of its inputs, and sends it on at all of its outputs.
struct StreamItem {
  Packet packet;
  OrderKey key;           // of its first row
  bool is_input = false;  // the packet of an input itself: its row r has the key (sequence, r)
  std::shared_ptr<Barrier> barrier;
  std::shared_ptr<const SentCommand> command;

  bool is_cut() const { return barrier != nullptr || command != nullptr; }
};

// A bounded queue from one producer to one consumer. A stream with several consumers has one edge
// to each.
//
// Bound: `capacity` packets; beyond it only packets with the same key as everything that is queued,
// because an operator that waits on another port for that very key could otherwise never get it.
// Those descend from one micro-batch. Thread rule: Pop by the
// consumer, everything else by the producer.
class Edge {
 public:
  // With `wants_frontier`, a frontier that moves without a packet wakes the consumer.
  Edge(Actor& producer, Actor& consumer, int capacity, bool wants_frontier, Gauge& depth);

  // Whether an item with this key may be pushed now. If not, the producer is notified when that may
  // have changed.
  bool HasSpace(OrderKey key);
  // Appends; nothing with a key below `frontier` will follow. Cuts need no space. The consumer
  // learns of it with the next Announce: a producer that has more to add at once wakes it only now
  // and then, as waking a thread for every micro-batch costs more than many of them do.
  void Append(StreamItem item, OrderKey frontier);
  void Announce();
  // Both.
  void Push(StreamItem item, OrderKey frontier) {
    Append(std::move(item), frontier);
    Announce();
  }
  void SetFrontier(OrderKey frontier);
  bool wants_frontier() const { return wants_frontier_; }

  // Takes the first item into `item`, which is empty. If there is none: false, and `frontier` is
  // the stream's.
  bool Pop(StreamItem& item, OrderKey& frontier);

 private:
  Actor& producer_;
  Actor& consumer_;
  const std::size_t capacity_;
  const bool wants_frontier_;
  Gauge& depth_;
  bool unannounced_ = false;

  std::mutex mutex_;
  std::vector<StreamItem> ring_;
  std::size_t head_ = 0;
  std::atomic<std::size_t> count_ = 0;  // written under mutex_
  OrderKey frontier_;
  bool producer_waits_ = false;
};

}  // namespace weft::graph
