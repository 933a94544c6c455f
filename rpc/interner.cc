#include "rpc/interner.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <xxhash.h>

#include "graph/check.h"

namespace weft::rpc {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

}  // namespace

using graph::kNoNode;
using graph::NodeId;

Interner::Interner(std::uint64_t max_nodes)
    : max_nodes_(std::min<std::uint64_t>(max_nodes, graph::kNoNode)),
      keys_(max_nodes_ / kPageKeys + 1) {}

std::size_t Interner::KeyHash::operator()(std::string_view key) const {
  return XXH3_64bits(key.data(), key.size());
}

absl::Status Interner::Load(const graph::Dictionary& dictionary) {
  bool unique = true;
  WEFT_TRY(dictionary.ReadNodes([&](NodeId node, std::string_view key) {
    const std::string_view kept = Keep(key);
    Append(kept);
    unique = nodes_.emplace(kept, node).second && unique;
  }));
  if (!unique) return absl::DataLossError("the dictionary has the same key twice");
  return absl::OkStatus();
}

NodeId Interner::Find(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? kNoNode : found->second;
}

void Interner::FindAll(std::span<const std::string_view> keys, std::span<NodeId> nodes) const {
  const std::shared_lock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = nodes_.find(keys[i]);
    nodes[i] = found == nodes_.end() ? kNoNode : found->second;
  }
}

NodeId Interner::Add(std::string_view key) {
  const std::unique_lock lock(mutex_);
  if (const auto found = nodes_.find(key); found != nodes_.end()) return found->second;
  if (size() >= max_nodes_) return kNoNode;
  const auto node = static_cast<NodeId>(size());
  const std::string_view kept = Keep(key);
  Append(kept);
  nodes_.emplace(kept, node);
  return node;
}

void Interner::Append(std::string_view kept) {
  const std::uint64_t node = size_.load(std::memory_order_relaxed);
  const std::size_t page = node / kPageKeys;
  // Only while nobody reads: a dictionary of more than may be added.
  if (page == keys_.size()) keys_.resize(page + 1);
  if (keys_[page] == nullptr) keys_[page] = std::make_unique<std::string_view[]>(kPageKeys);
  keys_[page][node % kPageKeys] = kept;
  size_.store(node + 1, std::memory_order_release);
}

std::string_view Interner::Keep(std::string_view key) {
  if (key.size() > block_left_) {
    const std::size_t size = std::max(kBlockBytes, key.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_next_ = blocks_.back().get();
    block_left_ = size;
  }
  char* const place = block_next_;
  std::memcpy(place, key.data(), key.size());
  block_next_ += key.size();
  block_left_ -= key.size();
  return {place, key.size()};
}

std::string_view Interner::Key(NodeId node) const {
  return node < size() ? keys_[node / kPageKeys][node % kPageKeys] : std::string_view();
}

}  // namespace weft::rpc
