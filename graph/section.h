// Plain values and arrays in checkpoint sections: the bytes as they lie in memory (little-endian
// machines only; x86-64-v3 is the baseline), an array after its count.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "graph/check.h"
#include "graph/state.h"
#include "graph/text.h"

namespace weft::graph {

template <class T>
absl::Status WriteValue(std::string_view section, const T& value, CheckpointSink& sink) {
  static_assert(std::is_trivially_copyable_v<T>);
  return sink.Write(section, std::as_bytes(std::span(&value, 1)));
}

template <class T>
absl::Status ReadValue(std::string_view section, T& value, CheckpointSource& source) {
  static_assert(std::is_trivially_copyable_v<T>);
  return source.Read(section, std::as_writable_bytes(std::span(&value, 1)));
}

template <class T>
absl::Status WriteArray(std::string_view section, std::span<const T> values, CheckpointSink& sink) {
  WEFT_TRY(WriteValue(section, static_cast<std::uint64_t>(values.size()), sink));
  return sink.Write(section, std::as_bytes(values));
}

// DATA_LOSS for more than `max_count` values, before any memory is taken.
template <class T>
absl::Status ReadArray(std::string_view section, std::uint64_t max_count, std::vector<T>& values,
                       CheckpointSource& source) {
  std::uint64_t count = 0;
  WEFT_TRY(ReadValue(section, count, source));
  if (count > max_count || count * sizeof(T) > source.Remaining(section)) {
    return absl::DataLossError(
        Concat("section ", section, ": expected at most ", max_count, " values, got ", count));
  }
  values.resize(count);
  return source.Read(section, std::as_writable_bytes(std::span(values)));
}

}  // namespace weft::graph
