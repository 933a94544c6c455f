#include "graph/cold_store.h"

#include <utility>

#include "graph/text.h"

namespace weft::graph {

std::string ColdPrefix(std::string_view spec_digest, std::string_view node,
                       std::uint32_t state_version) {
  // Names of nodes have slashes, but no colons.
  return Concat(spec_digest, "/", node, "/", state_version, kColdPrefixEnd);
}

void NodeColdStore::Put(std::string_view name, std::string bytes) {
  all_->Put(Concat(prefix_, name), std::move(bytes));
}

absl::StatusOr<std::string> NodeColdStore::Get(std::string_view name) const {
  return all_->Get(Concat(prefix_, name));
}

void NodeColdStore::Forget(std::string_view name, LogPosition from) {
  all_->Forget(Concat(prefix_, name), from);
}

void MemoryColdStore::Put(std::string_view name, std::string bytes) {
  const std::lock_guard lock(mutex_);
  bytes_.insert_or_assign(std::string(name), std::move(bytes));
}

absl::StatusOr<std::string> MemoryColdStore::Get(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = bytes_.find(name);
  if (found == bytes_.end()) return absl::NotFoundError(Concat("nothing is stored as ", name));
  return found->second;
}

void MemoryColdStore::Forget(std::string_view name, LogPosition) {
  const std::lock_guard lock(mutex_);
  if (const auto found = bytes_.find(name); found != bytes_.end()) bytes_.erase(found);
}

}  // namespace weft::graph
