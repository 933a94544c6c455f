// LruIndex: numbers up to `capacity` 64-bit keys with slots 0, 1, 2, ..., and reuses the slot of
// the key that was not touched for the longest time when it is full. Owners keep their data in
// arrays indexed by slot.
//
// All memory is taken at construction: 24 to 32 bytes a slot. Deterministic: slots and order depend
// on the calls alone. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::operators::link {

class LruIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  // 1 <= capacity < 2^31.
  explicit LruIndex(std::int64_t capacity);

  // The key's slot; kNone for an unknown key. Changes nothing.
  std::uint32_t Find(std::uint64_t key) const;

  struct Touched {
    std::uint32_t slot = kNone;
    bool inserted = false;  // the slot is new or was another key's: its data must be reset
  };
  // Makes the key the most recent one, taking it in if need be.
  Touched Touch(std::uint64_t key);

  void Clear();

  std::int64_t size() const { return static_cast<std::int64_t>(size_); }
  std::int64_t capacity() const { return static_cast<std::int64_t>(keys_.size()); }
  // Keys that lost their slot since construction or Clear.
  std::int64_t evicted_count() const { return evicted_count_; }
  std::uint64_t key(std::uint32_t slot) const { return keys_[slot]; }

  // From the most recent key to the oldest: for (slot = newest(); slot != kNone; slot =
  // older(slot)).
  std::uint32_t newest() const { return newest_; }
  std::uint32_t older(std::uint32_t slot) const { return older_[slot]; }

  static std::int64_t bytes_per_slot() { return 32; }

  // Everything, in section `section`. Load: DATA_LOSS if the section is not of an index of this
  // capacity.
  absl::Status Save(std::string_view section, graph::CheckpointSink& sink) const;
  absl::Status Load(std::string_view section, graph::CheckpointSource& source);

 private:
  std::size_t Bucket(std::uint64_t key) const;
  std::size_t FindBucket(std::uint64_t key) const;
  void RemoveBucket(std::size_t bucket);
  void Unlink(std::uint32_t slot);
  void LinkNewest(std::uint32_t slot);

  std::vector<std::uint32_t> buckets_;  // open addressing, a power of two, at most half full
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> newer_;
  std::vector<std::uint32_t> older_;
  std::uint32_t size_ = 0;
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::int64_t evicted_count_ = 0;
};

}  // namespace weft::operators::link
