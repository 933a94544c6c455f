// Interner: the dictionary in memory, node keys to ids and back. Filled from storage at start; the
// sequencers add the keys of new nodes, which become durable with the record that brings them.
// Thread rule: any thread; Add from one thread at a time (the sequencers hold the log's order
// meanwhile).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::rpc {

class Interner {
 public:
  // Holds at most `max_nodes`.
  explicit Interner(std::uint64_t max_nodes);

  // DATA_LOSS if two nodes have the same key. Once, before any other use.
  absl::Status Load(const graph::Dictionary& dictionary);

  // kNoNode for a key that was never added.
  graph::NodeId Find(std::string_view key) const;
  // The same for many keys at once.
  void FindAll(std::span<const std::string_view> keys, std::span<graph::NodeId> nodes) const;
  // The id of the key, a new one if need be; kNoNode if there is no room for another.
  graph::NodeId Add(std::string_view key);
  // The key of a node; empty for an unknown one. Valid as long as the interner. Takes no lock.
  std::string_view Key(graph::NodeId node) const;
  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  struct KeyHash {
    std::size_t operator()(std::string_view key) const;
  };
  static constexpr std::size_t kPageKeys = std::size_t{1} << 16;

  void Append(std::string_view kept);
  std::string_view Keep(std::string_view key);

  const std::uint64_t max_nodes_;
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<std::string_view, graph::NodeId, KeyHash, std::equal_to<>> nodes_;
  // By id, in pages that stay where they are; the first size_ do not change.
  std::vector<std::unique_ptr<std::string_view[]>> keys_;
  std::atomic<std::uint64_t> size_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;  // where the keys' characters are
  std::size_t block_left_ = 0;
  char* block_next_ = nullptr;
};

}  // namespace weft::rpc
