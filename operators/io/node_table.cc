#include "operators/io/node_table.h"

#include <algorithm>

#include <xxhash.h>

#include "graph/check.h"

namespace weft::operators::io {
namespace {

constexpr std::size_t kFirstBuckets = 1024;
constexpr std::int64_t kMaxSmallNumbers = 1 << 22;
constexpr std::int64_t kNotSmall = -1;

// The number that `key` writes in its only canonical way, if it is small.
std::int64_t SmallNumber(std::string_view key) {
  if (key.empty() || key.size() > 7 || (key[0] == '0' && key.size() > 1)) return kNotSmall;
  std::int64_t number = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return kNotSmall;
    number = number * 10 + (c - '0');
  }
  return number < kMaxSmallNumbers ? number : kNotSmall;
}

}  // namespace

NodeTable::NodeTable(std::int64_t max_nodes)
    : max_nodes_(std::min<std::int64_t>(max_nodes, graph::kNoNode)),
      buckets_(kFirstBuckets, graph::kNoNode) {}

std::string_view NodeTable::Key(graph::NodeId node) const {
  WEFT_CHECK(node < end_.size());
  const std::uint64_t begin = node == 0 ? 0 : end_[node - 1];
  return std::string_view(keys_).substr(begin, end_[node] - begin);
}

std::size_t NodeTable::Place(std::string_view key) const {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t place = XXH3_64bits(key.data(), key.size()) & mask;
  while (buckets_[place] != graph::kNoNode && Key(buckets_[place]) != key) {
    place = (place + 1) & mask;
  }
  return place;
}

graph::NodeId NodeTable::Add(std::string_view key) {
  if (size() >= max_nodes_) return graph::kNoNode;
  keys_ += key;
  end_.push_back(keys_.size());
  return static_cast<graph::NodeId>(end_.size() - 1);
}

void NodeTable::Grow() {
  buckets_.assign(buckets_.size() * 2, graph::kNoNode);
  for (std::size_t node = 0; node < end_.size(); ++node) {
    const std::string_view key = Key(static_cast<graph::NodeId>(node));
    if (SmallNumber(key) == kNotSmall) buckets_[Place(key)] = static_cast<graph::NodeId>(node);
  }
}

graph::NodeId NodeTable::FindOrAdd(std::string_view key) {
  const std::int64_t number = SmallNumber(key);
  if (number != kNotSmall) {
    const auto place = static_cast<std::size_t>(number);
    if (place >= small_numbers_.size()) {
      small_numbers_.resize(std::max(place + 1, 2 * small_numbers_.size()), graph::kNoNode);
    }
    if (small_numbers_[place] == graph::kNoNode) small_numbers_[place] = Add(key);
    return small_numbers_[place];
  }
  const std::size_t place = Place(key);
  if (buckets_[place] != graph::kNoNode) return buckets_[place];
  const graph::NodeId node = Add(key);
  buckets_[place] = node;
  // At most half full, small numbers counted too: they cost no bucket, but the bound stays simple.
  if (end_.size() * 2 > buckets_.size()) Grow();
  return node;
}

graph::NodeId NodeTable::Find(std::string_view key) const {
  const std::int64_t number = SmallNumber(key);
  if (number != kNotSmall) {
    const auto place = static_cast<std::size_t>(number);
    return place < small_numbers_.size() ? small_numbers_[place] : graph::kNoNode;
  }
  return buckets_[Place(key)];
}

}  // namespace weft::operators::io
