// ColdStore: state of operators that is seldom needed, outside of memory: what a checkpoint refers
// to by name instead of holding it.
//
// A name is given to the same bytes only, in every replay of the log: so it says which of a node's
// it is, by a count that is part of its state. Then a graph that is restored from any checkpoint
// and replays the log finds what it needs: what was there before, because nothing goes while a
// checkpoint is left that may need it, and what came later, because the replay puts it there again.
// Nodes of other graphs, and other versions of their state, have names of their own
// (NodeColdStore).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "graph/log_record.h"

namespace weft::graph {

// Thread rule: any thread.
class ColdStore {
 public:
  virtual ~ColdStore() = default;

  // Durable with the next checkpoint at the latest. What cannot be written yet stays in memory.
  virtual void Put(std::string_view name, std::string bytes) = 0;
  // NOT_FOUND for a name that was never put or has been let go, DATA_LOSS for damaged bytes.
  virtual absl::StatusOr<std::string> Get(std::string_view name) const = 0;
  // Nobody asks for it from this place of the log on; it goes when no checkpoint before it is left.
  virtual void Forget(std::string_view name, LogPosition from) = 0;
};

// With what the names of all begin that a node of a graph puts, and where that ends.
inline constexpr char kColdPrefixEnd = ':';
std::string ColdPrefix(std::string_view spec_digest, std::string_view node,
                       std::uint32_t state_version);

// What one node sees of a store that outlives it: its own.
class NodeColdStore final : public ColdStore {
 public:
  NodeColdStore(ColdStore* all, std::string prefix) : all_(all), prefix_(std::move(prefix)) {}

  void Put(std::string_view name, std::string bytes) override;
  absl::StatusOr<std::string> Get(std::string_view name) const override;
  void Forget(std::string_view name, LogPosition from) override;

 private:
  ColdStore* const all_;
  const std::string prefix_;
};

// For graphs without a data directory.
class MemoryColdStore final : public ColdStore {
 public:
  void Put(std::string_view name, std::string bytes) override;
  absl::StatusOr<std::string> Get(std::string_view name) const override;
  void Forget(std::string_view name, LogPosition from) override;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> bytes_;  // guarded by mutex_
};

}  // namespace weft::graph
