// NodeTable: node keys <-> NodeIds, numbered in order of first appearance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"

namespace weft::operators::io {

// Keys are bytes; "7" and "07" are two nodes. Not thread-safe.
class NodeTable {
 public:
  explicit NodeTable(std::int64_t max_nodes = std::int64_t{1} << 31);

  // The id of `key`, a new one at its first appearance; kNoNode when the table is full (max_nodes).
  graph::NodeId FindOrAdd(std::string_view key);
  // kNoNode for an unknown key.
  graph::NodeId Find(std::string_view key) const;
  // The key of a node that was given out; valid until the next FindOrAdd.
  std::string_view Key(graph::NodeId node) const;
  std::int64_t size() const { return static_cast<std::int64_t>(end_.size()); }

 private:
  std::size_t Place(std::string_view key) const;
  graph::NodeId Add(std::string_view key);
  void Grow();

  std::int64_t max_nodes_;
  std::string keys_;                    // one after the other, in id order
  std::vector<std::uint64_t> end_;      // of each key in keys_
  std::vector<graph::NodeId> buckets_;  // open addressing, a power of two, kNoNode = free
  // Whole numbers below its size are looked up here, without hashing.
  std::vector<graph::NodeId> small_numbers_;
};

}  // namespace weft::operators::io
