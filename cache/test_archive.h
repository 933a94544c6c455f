// Archives in memory, for the tests of VisitState.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weft::cache {

class SavingArchive {
 public:
  static constexpr bool kLoads = false;

  template <class T>
  void Value(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <class T>
  void Fixed(const std::vector<T>& values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  template <class T>
  void Fixed(std::span<const T> values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  template <class T>
  void Array(const std::vector<T>& values, std::uint64_t) {
    Value(values.size());
    Fixed(values);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class LoadingArchive {
 public:
  static constexpr bool kLoads = true;

  explicit LoadingArchive(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  void Value(T& value) {
    Take(&value, sizeof(T));
  }
  template <class T>
  void Fixed(std::vector<T>& values) {
    Take(values.data(), values.size() * sizeof(T));
  }
  template <class T>
  void Fixed(std::span<T> values) {
    Take(values.data(), values.size_bytes());
  }
  template <class T>
  void Array(std::vector<T>& values, std::uint64_t most) {
    std::uint64_t count = 0;
    Value(count);
    Check(count <= most && count * sizeof(T) <= bytes_.size(), "an array");
    if (!ok_) return;
    values.resize(count);
    Fixed(values);
  }
  void Check(bool holds, std::string_view) { ok_ = ok_ && holds; }
  bool ok() const { return ok_; }
  bool AtEnd() const { return bytes_.empty(); }

 private:
  void Take(void* to, std::size_t size) {
    Check(size <= bytes_.size(), "bytes");
    if (!ok_ || size == 0) return;
    std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// What one object saves, loaded into another.
template <class T>
void SaveAndLoad(const T& from, T& to) {
  SavingArchive saved;
  T::VisitState(from, saved);
  LoadingArchive archive(saved.bytes());
  T::VisitState(to, archive);
  EXPECT_TRUE(archive.ok() && archive.AtEnd());
}

}  // namespace weft::cache
