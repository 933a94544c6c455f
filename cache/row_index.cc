#include "cache/row_index.h"

#include <algorithm>

namespace weft::cache {

RowIndex::RowIndex(std::int64_t max_rows) : max_rows_(max_rows) { Clear(); }

void RowIndex::Clear() {
  size_ = 0;
  eviction_count_ = 0;
  row_of_.Clear();
  const std::int64_t first = std::min<std::int64_t>(max_rows_, 1023) + 1;
  node_of_.Allocate(first);
  next_.Allocate(first);
  previous_.Allocate(first);
}

void RowIndex::Unlink(std::uint32_t row) {
  next_[previous_[row]] = next_[row];
  previous_[next_[row]] = previous_[row];
}

void RowIndex::LinkFront(std::uint32_t row) {
  const std::uint32_t front = next_[0];
  next_[row] = front;
  previous_[row] = 0;
  previous_[front] = row;
  next_[0] = row;
}

RowIndex::Admission RowIndex::Admit(std::uint32_t node) {
  if (node >= row_of_.size())
    row_of_.Grow(std::max<std::int64_t>(std::int64_t{node} + 1, 2 * row_of_.size()));
  std::uint32_t row = row_of_[node];
  const bool fresh = row == kNoRow;
  if (!fresh) {
    if (next_[0] == row) return {row, false};
    Unlink(row);
  } else if (size_ < max_rows_) {
    row = static_cast<std::uint32_t>(++size_);
    if (row >= node_of_.size()) {
      const std::int64_t larger = std::min<std::int64_t>(max_rows_ + 1, 2 * node_of_.size());
      node_of_.Grow(larger);
      next_.Grow(larger);
      previous_.Grow(larger);
    }
  } else {
    row = previous_[0];
    row_of_[node_of_[row]] = kNoRow;
    ++eviction_count_;
    Unlink(row);
  }
  if (fresh) {
    row_of_[node] = row;
    node_of_[row] = node;
  }
  LinkFront(row);
  return {row, fresh};
}

gpu::Buffer<std::uint32_t> RowIndex::RowsOldestFirst() const {
  gpu::Buffer<std::uint32_t> rows(size_);
  std::int64_t i = 0;
  for (std::uint32_t row = previous_[0]; row != 0; row = previous_[row]) rows[i++] = row;
  return rows;
}

void RowIndex::Restore(std::span<const std::uint32_t> node_by_row,
                       std::span<const std::uint32_t> rows_oldest_first,
                       std::int64_t eviction_count) {
  Clear();
  const auto count = static_cast<std::int64_t>(node_by_row.size());
  node_of_.Grow(count + 1);
  next_.Grow(count + 1);
  previous_.Grow(count + 1);
  size_ = count;
  eviction_count_ = eviction_count;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t node = node_by_row[static_cast<std::size_t>(i)];
    if (node >= row_of_.size())
      row_of_.Grow(std::max<std::int64_t>(std::int64_t{node} + 1, 2 * row_of_.size()));
    row_of_[node] = static_cast<std::uint32_t>(i + 1);
    node_of_[i + 1] = node;
  }
  for (const std::uint32_t row : rows_oldest_first) LinkFront(row);
}

}  // namespace weft::cache
