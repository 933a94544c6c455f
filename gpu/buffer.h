// Buffer<T>: owns an array in host memory, aligned for vectors. A device's buffers come from its Arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace weft::gpu {

// Zero-filled on construction; movable, not copyable. T is trivially copyable.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* p) const { ::operator delete[](p, kAlignment); }
  };

 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size) { Allocate(size); }

  // Drops the contents and holds `size` zeros.
  void Allocate(std::int64_t size) {
    const auto count = static_cast<std::size_t>(size);
    data_.reset(static_cast<T*>(::operator new[](count * sizeof(T), kAlignment)));
    size_ = size;
    Clear();
  }

  // Grows to at least `size`, keeping the contents; what is new is zero.
  void Grow(std::int64_t size) {
    if (size <= size_) return;
    Buffer larger(size);
    if (size_ > 0) std::memcpy(larger.data(), data(), static_cast<std::size_t>(size_) * sizeof(T));
    *this = std::move(larger);
  }

  void Clear() {
    if (size_ > 0) std::memset(data_.get(), 0, static_cast<std::size_t>(size_) * sizeof(T));
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  T& operator[](std::int64_t i) { return data_[static_cast<std::size_t>(i)]; }
  const T& operator[](std::int64_t i) const { return data_[static_cast<std::size_t>(i)]; }
  std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  std::unique_ptr<T[], Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace weft::gpu
