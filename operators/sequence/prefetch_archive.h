// PrefetchArchive: what VisitState visits is asked for ahead of its use, a few lines of each array:
// the rest of one that is read from its beginning comes by itself then. For objects of which one
// after the other is taken up, each far away in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// Reads and writes nothing; visits as a saving archive does.
class PrefetchArchive {
 public:
  static constexpr bool kLoads = false;

  template <class T>
  void Value(const T& value) {
    Ask(&value, sizeof(value));
  }
  template <class T>
  void Fixed(const std::vector<T>& values) {
    Fixed(std::span(values));
  }
  template <class T>
  void Fixed(std::span<const T> values) {
    Ask(values.data(), std::min(values.size_bytes(), kLines * kLine));
  }
  // Those that grow are also read and written at their end.
  template <class T>
  void Array(const std::vector<T>& values, std::uint64_t) {
    Fixed(values);
    if (!values.empty()) Ask(&values.back(), sizeof(T));
  }

 private:
  static constexpr std::size_t kLine = 64, kLines = 4;

  static void Ask(const void* at, std::size_t bytes) {
    for (std::size_t from = 0; from < bytes; from += kLine)
      __builtin_prefetch(static_cast<const char*>(at) + from);
  }
};

}  // namespace weft::operators::sequence
