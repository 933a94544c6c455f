// RowIndex: which row of a bounded table belongs to which node, and which row makes room when the
// table is full: the one whose node has been inactive longest. Deterministic: depends only on the
// order of calls.
#pragma once

#include <cstdint>
#include <span>

#include "gpu/buffer.h"

namespace weft::cache {

// Row 0 belongs to nobody: it stays empty and stands for every node without a row.
inline constexpr std::uint32_t kNoRow = 0;

// Thread-compatible. Memory: 4 bytes for each node id up to the largest admitted, 12 for each row
// in use.
class RowIndex {
 public:
  // At most `max_rows` nodes have a row at a time.
  explicit RowIndex(std::int64_t max_rows);

  // The node's row, or kNoRow.
  std::uint32_t Find(std::uint32_t node) const {
    return node < row_of_.size() ? row_of_[node] : kNoRow;
  }

  struct Admission {
    std::uint32_t row = kNoRow;
    bool fresh =
        false;  // the row has just been given to the node; whoever keeps data by row clears it
  };
  // The node becomes the most recently active; it gets a row if it has none.
  Admission Admit(std::uint32_t node);

  void Clear();

  // Rows in use are 1 .. size().
  std::int64_t size() const { return size_; }
  std::int64_t max_rows() const { return max_rows_; }
  std::uint32_t NodeOf(std::uint32_t row) const { return node_of_[row]; }
  // How often a node lost its row.
  std::int64_t eviction_count() const { return eviction_count_; }

  // Calls visit(node) for at most `limit` nodes, most recently active first.
  template <class Visit>
  void MostRecent(std::int64_t limit, Visit visit) const {
    for (std::uint32_t row = size_ > 0 ? next_[0] : 0; row != 0 && limit > 0;
         row = next_[row], --limit)
      visit(node_of_[row]);
  }

  // Everything there is to save: the nodes by row (1 .. size()), and the rows from least to most
  // recently active.
  void Restore(std::span<const std::uint32_t> node_by_row,
               std::span<const std::uint32_t> rows_oldest_first, std::int64_t eviction_count);
  gpu::Buffer<std::uint32_t> RowsOldestFirst() const;

 private:
  void Unlink(std::uint32_t row);
  void LinkFront(std::uint32_t row);

  std::int64_t max_rows_;
  std::int64_t size_ = 0;
  std::int64_t eviction_count_ = 0;
  gpu::Buffer<std::uint32_t> row_of_;   // by node
  gpu::Buffer<std::uint32_t> node_of_;  // by row
  // A ring through row 0: next_[0] is the most recently active row, previous_[0] the least.
  gpu::Buffer<std::uint32_t> next_, previous_;
};

}  // namespace weft::cache
