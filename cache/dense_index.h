// DenseIndex: numbers the distinct ids of a batch 0, 1, 2, ... in order of first appearance.
// Bounded, reused from batch to batch, and cleared in constant time.
#pragma once

#include <cstdint>

#include "gpu/buffer.h"
#include "gpu/host_device.h"

namespace weft::cache {

class DenseIndex {
 public:
  // Room for `capacity` distinct ids between two Clear calls; ids() is in `memory`.
  explicit DenseIndex(std::int64_t capacity, gpu::Memory memory = gpu::Memory::kHost)
      : ids_(capacity, memory) {
    std::int64_t size = 16;
    while (size < 2 * capacity) size *= 2;
    entries_.Allocate(size);
    mask_ = static_cast<std::uint64_t>(size - 1);
  }

  void Clear() {
    count_ = 0;
    if (++generation_ == 0) {  // once in 2^32 batches
      entries_.Clear();
      generation_ = 1;
    }
  }

  // The number of `id`, given out now if it is new. At most `capacity` distinct ids.
  std::int32_t Insert(std::uint32_t id) {
    for (std::uint64_t at = gpu::Mix64(id) & mask_;; at = (at + 1) & mask_) {
      Entry& entry = entries_[static_cast<std::int64_t>(at)];
      if (entry.generation != generation_) {
        entry = {.generation = generation_, .id = id, .number = count_};
        ids_[count_] = id;
        return count_++;
      }
      if (entry.id == id) return entry.number;
    }
  }

  std::int32_t size() const { return count_; }
  // The ids by number.
  const std::uint32_t* ids() const { return ids_.data(); }

 private:
  struct Entry {
    std::uint32_t generation;
    std::uint32_t id;
    std::int32_t number;
  };
  gpu::Buffer<Entry> entries_;
  gpu::Buffer<std::uint32_t> ids_;
  std::uint64_t mask_ = 0;
  std::uint32_t generation_ = 1;
  std::int32_t count_ = 0;
};

}  // namespace weft::cache
