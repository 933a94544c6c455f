// Arena: many arrays in one block that is reserved once. Placing runs twice over the same code:
// first to measure, then, after Reserve, to hand out.
//
//   Arena arena(memory);
//   for (const bool placing : {false, true}) {
//     if (placing) arena.Reserve();
//     view.x = arena.Place<float>(n);   // null while measuring
//   }
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/buffer.h"

namespace weft::gpu {

class Arena {
 public:
  explicit Arena(Memory memory) : block_(0, memory) {}

  // `count` elements on a cache line of their own; zero-filled.
  template <class T>
  T* Place(std::int64_t count) {
    const std::int64_t at = used_bytes_;
    used_bytes_ += (count * static_cast<std::int64_t>(sizeof(T)) + kLine - 1) / kLine * kLine;
    return block_.size() == 0 ? nullptr : reinterpret_cast<T*>(block_.data() + at);
  }

  // Takes all memory that was measured and starts handing out from the beginning.
  void Reserve() {
    block_.Allocate(used_bytes_);
    used_bytes_ = 0;
  }

  std::int64_t used_bytes() const { return used_bytes_; }

 private:
  static constexpr std::int64_t kLine = 64;
  Buffer<std::byte> block_;
  std::int64_t used_bytes_ = 0;
};

}  // namespace weft::gpu
