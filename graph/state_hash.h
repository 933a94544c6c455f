// The hash of an operator's state: XXH3 64 over its sections, however they were cut into pieces.
// Internal to graph/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::graph {

class StateHasher {
 public:
  StateHasher();
  void Add(std::string_view section, std::span<const std::byte> bytes);
  // Once, after the last Add. Each section enters as its bytes, its length, and its name with the
  // name's length.
  std::uint64_t Finish();
  std::uint64_t bytes() const { return total_bytes_; }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  void EndSection();

  std::unique_ptr<XXH3_state_t, Free> state_;
  std::string section_;
  bool in_section_ = false;
  std::uint64_t section_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

// Hashes what is written and passes it on, if there is anywhere to.
class HashingSink final : public CheckpointSink {
 public:
  explicit HashingSink(CheckpointSink* next) : next_(next) {}
  absl::Status Write(std::string_view section, std::span<const std::byte> bytes) override;
  StateHasher& hasher() { return hasher_; }

 private:
  CheckpointSink* const next_;
  StateHasher hasher_;
};

// Hashes what is read. Without a source everything is absent.
class HashingSource final : public CheckpointSource {
 public:
  explicit HashingSource(CheckpointSource* from) : from_(from) {}
  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override;
  std::uint64_t Remaining(std::string_view section) const override;
  StateHasher& hasher() { return hasher_; }

 private:
  CheckpointSource* const from_;
  StateHasher hasher_;
};

}  // namespace weft::graph
