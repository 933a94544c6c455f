// Row indexes in checkpoint sections, beside the plain values and arrays of graph/section.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cache/row_index.h"
#include "graph/section.h"

namespace weft::operators::link {

using graph::ReadArray;
using graph::ReadValue;
using graph::WriteArray;
using graph::WriteValue;

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
