#include "graph/stream.h"

#include <algorithm>
#include <utility>

namespace weft::graph {

Edge::Edge(Actor& producer, Actor& consumer, int capacity, bool wants_frontier, Gauge& depth)
    : producer_(producer),
      consumer_(consumer),
      capacity_(static_cast<std::size_t>(capacity)),
      wants_frontier_(wants_frontier),
      depth_(depth),
      ring_(capacity_ + 1) {}  // a cut may come on top

bool Edge::HasSpace(OrderKey key) {
  // Only this thread adds, so that a count below the bound stays below it.
  if (count_.load(std::memory_order_relaxed) < capacity_) return true;
  const std::lock_guard lock(mutex_);
  if (count_.load(std::memory_order_relaxed) < capacity_) return true;
  const StreamItem& first = ring_[head_];
  if (!first.is_cut() && first.key == key) return true;
  producer_waits_ = true;
  return false;
}

void Edge::Append(StreamItem item, OrderKey frontier) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = count_.load(std::memory_order_relaxed);
    if (count == ring_.size()) {
      std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(head_), ring_.end());
      head_ = 0;
      ring_.resize(ring_.size() * 2);
    }
    ring_[(head_ + count) % ring_.size()] = std::move(item);
    frontier_ = std::max(frontier_, frontier);
    count_.store(++count, std::memory_order_relaxed);
  }
  depth_.Set(static_cast<double>(count));
  unannounced_ = true;
}

void Edge::Announce() {
  if (std::exchange(unannounced_, false)) consumer_.Notify();
}

void Edge::SetFrontier(OrderKey frontier) {
  {
    const std::lock_guard lock(mutex_);
    if (frontier <= frontier_) return;
    frontier_ = frontier;
  }
  consumer_.Notify();
}

bool Edge::Pop(StreamItem& item, OrderKey& frontier) {
  bool wake_producer = false;
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = count_.load(std::memory_order_relaxed);
    if (count == 0) {
      frontier = frontier_;
      return false;
    }
    item = std::move(ring_[head_]);
    head_ = (head_ + 1) % ring_.size();
    count_.store(--count, std::memory_order_relaxed);
    std::swap(wake_producer, producer_waits_);
  }
  depth_.Set(static_cast<double>(count));
  if (wake_producer) producer_.Notify();
  return true;
}

}  // namespace weft::graph
