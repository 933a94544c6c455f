// Plain values, arrays and row indexes in checkpoint sections: the bytes as they lie in memory
// (little-endian machines only; x86-64-v3 is the baseline), an array after its count.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "cache/row_index.h"
#include "graph/check.h"
#include "graph/state.h"
#include "graph/text.h"

namespace weft::operators::link {

template <class T>
absl::Status WriteValue(std::string_view section, const T& value, graph::CheckpointSink& sink) {
  static_assert(std::is_trivially_copyable_v<T>);
  return sink.Write(section, std::as_bytes(std::span(&value, 1)));
}

template <class T>
absl::Status ReadValue(std::string_view section, T& value, graph::CheckpointSource& source) {
  static_assert(std::is_trivially_copyable_v<T>);
  return source.Read(section, std::as_writable_bytes(std::span(&value, 1)));
}

template <class T>
absl::Status WriteArray(std::string_view section, std::span<const T> values,
                        graph::CheckpointSink& sink) {
  WEFT_TRY(WriteValue(section, static_cast<std::uint64_t>(values.size()), sink));
  return sink.Write(section, std::as_bytes(values));
}

// DATA_LOSS for more than `max_count` values, before any memory is taken.
template <class T>
absl::Status ReadArray(std::string_view section, std::uint64_t max_count, std::vector<T>& values,
                       graph::CheckpointSource& source) {
  std::uint64_t count = 0;
  WEFT_TRY(ReadValue(section, count, source));
  if (count > max_count || count * sizeof(T) > source.Remaining(section)) {
    return absl::DataLossError(graph::Concat("section ", section, ": expected at most ", max_count,
                                             " values, got ", count));
  }
  values.resize(count);
  return source.Read(section, std::as_writable_bytes(std::span(values)));
}

template <class RowMap>
absl::Status WriteRowIndex(std::string_view section, const cache::BasicRowIndex<RowMap>& index,
                           graph::CheckpointSink& sink) {
  WEFT_TRY(WriteValue(section, index.max_rows(), sink));
  WEFT_TRY(WriteValue(section, index.eviction_count(), sink));
  const std::vector<typename RowMap::Key> keys = index.KeysByRow();
  const std::vector<std::uint32_t> order = index.RowsOldestFirst();
  WEFT_TRY(WriteArray(section, std::span(keys), sink));
  return WriteArray(section, std::span(order), sink);
}

// DATA_LOSS if the section is not of an index with as many rows; `index` is then empty.
template <class RowMap>
absl::Status ReadRowIndex(std::string_view section, cache::BasicRowIndex<RowMap>& index,
                          graph::CheckpointSource& source) {
  index.Clear();
  std::int64_t max_rows = 0;
  std::int64_t eviction_count = 0;
  std::vector<typename RowMap::Key> keys;
  std::vector<std::uint32_t> order;
  const auto row_limit = static_cast<std::uint64_t>(index.max_rows());
  WEFT_TRY(ReadValue(section, max_rows, source));
  if (max_rows != index.max_rows()) {
    return absl::DataLossError(graph::Concat("section ", section, ": expected an index of ",
                                             index.max_rows(), " rows, got one of ", max_rows));
  }
  WEFT_TRY(ReadValue(section, eviction_count, source));
  WEFT_TRY(ReadArray(section, row_limit, keys, source));
  WEFT_TRY(ReadArray(section, row_limit, order, source));
  if (index.Restore(keys, order, eviction_count)) return absl::OkStatus();
  return absl::DataLossError(graph::Concat(
      "section ", section, ": expected distinct keys and an order that names each row once"));
}

}  // namespace weft::operators::link
