// NegativeTargets: for each event of a part of a file, a target that did not occur.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/event_batch.h"

namespace weft::operators::link {

// Draws uniformly from the distinct targets of a pool of events, by a counter hash of (seed,
// position): the same arguments give the same negative, in any order of calls. A true event of the
// same source and time is never drawn. The pool keeps the order in which targets were added, so the
// pool of an earlier part is a prefix of that of a later one.
class NegativeTargets {
 public:
  // `all` is the whole file (against which the draws are checked); it must outlive this. The pool
  // is filled by AddTargets.
  explicit NegativeTargets(const graph::EventBatch& all);

  // Adds the targets of events [begin, end) to the pool.
  void AddTargets(std::int64_t begin, std::int64_t end);
  void AddTarget(graph::NodeId target);
  std::int64_t pool_size() const { return static_cast<std::int64_t>(pool_.size()); }
  std::span<const graph::NodeId> pool() const { return pool_; }

  // Whether an event of the file has the source and the time of event `index`, and this target.
  bool Happened(std::int64_t index, graph::NodeId target) const;

  // The negative of event `index` of the file, from the first `pool_size` targets of the pool;
  // kNoNode if all of them are true ones.
  graph::NodeId Draw(std::uint64_t seed, std::int64_t index, std::int64_t pool_size) const;

 private:
  struct Fact {
    graph::TimeUs time_us = 0;
    graph::NodeId source = graph::kNoNode;
    graph::NodeId target = graph::kNoNode;
    auto operator<=>(const Fact&) const = default;
  };

  const graph::EventBatch& all_;
  std::vector<Fact> facts_;          // sorted
  std::vector<graph::NodeId> pool_;  // in order of first appearance
  std::vector<bool> in_pool_;        // by node
};

}  // namespace weft::operators::link
