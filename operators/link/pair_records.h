// PairRecords: one Record for what each node sent, one for what it received, and one for each pair
// of source and target. Bounded: nodes and pairs that were inactive longest are forgotten.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/row_index.h"
#include "graph/event_batch.h"

namespace weft::operators::link {

// Whose record, of an event from a source to a target.
enum class RecordOwner : std::int32_t {
  kSourceSent,
  kSourceReceived,
  kTargetSent,
  kTargetReceived,
  kPair,     // source to target
  kReverse,  // target to source
  kCount,
};

struct PairRecordsOptions {
  std::int64_t max_nodes = 1 << 20;
  std::int64_t max_pairs = 1 << 20;
};

// Record{} stands for whoever is not remembered. Thread-compatible.
template <class Record>
class PairRecords {
 public:
  explicit PairRecords(const PairRecordsOptions& options)
      : nodes_(options.max_nodes), pairs_(options.max_pairs), node_(1), pair_(1) {}

  // Valid until the next call of a function that is not const.
  const Record& Of(RecordOwner owner, graph::NodeId source, graph::NodeId target) const {
    switch (owner) {
      case RecordOwner::kSourceSent:
        return node_[nodes_.Find(source)].sent;
      case RecordOwner::kSourceReceived:
        return node_[nodes_.Find(source)].received;
      case RecordOwner::kTargetSent:
        return node_[nodes_.Find(target)].sent;
      case RecordOwner::kTargetReceived:
        return node_[nodes_.Find(target)].received;
      case RecordOwner::kPair:
        return pair_[pairs_.Find(PairKey(source, target))];
      default:
        return pair_[pairs_.Find(PairKey(target, source))];
    }
  }

  // To be changed; whose it is becomes the most recently active.
  Record& Sent(graph::NodeId source) { return Admit(nodes_, source, node_).sent; }
  Record& Received(graph::NodeId target) { return Admit(nodes_, target, node_).received; }
  Record& Pair(graph::NodeId source, graph::NodeId target) {
    return Admit(pairs_, PairKey(source, target), pair_);
  }

 private:
  struct Node {
    Record sent;
    Record received;
  };

  static std::uint64_t PairKey(graph::NodeId source, graph::NodeId target) {
    return std::uint64_t{source} << 32 | target;
  }

  // The record of a key that has just become active; empty if the row is new.
  template <class Index, class Records>
  static typename Records::value_type& Admit(Index& index, typename Index::Key key,
                                             Records& records) {
    const auto [row, fresh] = index.Admit(key);
    if (row >= records.size()) records.resize(row + 1);
    if (fresh) records[row] = {};
    return records[row];
  }

  cache::RowIndex nodes_;
  cache::HashedRowIndex pairs_;
  std::vector<Node> node_;  // by row; row 0 stays empty
  std::vector<Record> pair_;
};

}  // namespace weft::operators::link
