// Buffer<T>: owns one array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "gpu/memory.h"

namespace weft::gpu {

// Zero-filled on construction; movable, not copyable. T is trivially copyable. Host access to
// shared memory waits for nothing: Synchronize first.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Buffer(std::int64_t size = 0, Memory memory = Memory::kHost) : memory_(memory) {
    Allocate(size);
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        memory_(other.memory_) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Buffer() { Free(); }

  // Drops the contents and holds `size` zeros.
  void Allocate(std::int64_t size) {
    Free();
    size_ = size;
    if (size == 0) return;
    data_ = static_cast<T*>(AllocateBytes(size_bytes(), memory_));
    Clear();
  }

  // Grows to at least `size`, keeping the contents; what is new is zero.
  void Grow(std::int64_t size) {
    if (size <= size_) return;
    Buffer larger(size, memory_);
    if (size_ > 0) std::memcpy(static_cast<void*>(larger.data()), data(), size_bytes());
    *this = std::move(larger);
  }

  void Clear() {
    if (size_ > 0) std::memset(static_cast<void*>(data_), 0, size_bytes());
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return size_; }
  std::size_t size_bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }
  std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  void Free() {
    if (data_ != nullptr) FreeBytes(data_, memory_);
    data_ = nullptr;
  }

  T* data_ = nullptr;
  std::int64_t size_ = 0;
  Memory memory_;
};

}  // namespace weft::gpu
