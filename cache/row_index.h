// RowIndex and HashedRowIndex: which row of a bounded table belongs to which key, and which row
// makes room when the table is full: the one whose key has been inactive longest. Owners keep their
// data in arrays by row. Deterministic: rows and order depend only on the order of calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::cache {

// Row 0 belongs to nobody: it stays empty and stands for every key without a row.
inline constexpr std::uint32_t kNoRow = 0;

// A row's key and its place in a ring through row 0, ordered by activity: the row before it was
// active later, the row after it earlier. Row 0 is before the latest and after the earliest.
template <class Key>
struct IndexedRow {
  Key key = 0;
  std::uint32_t later = 0;
  std::uint32_t earlier = 0;
};

// From key to row. Functions get the rows, which hold the keys.

// For node ids, which are dense: an array by id. 4 bytes for each id up to the largest.
class DenseRowMap {
 public:
  using Key = std::uint32_t;
  using Rows = std::vector<IndexedRow<Key>>;
  static constexpr std::int64_t kMaxBytesPerKey = 4;

  std::uint32_t Find(const Rows&, Key key) const {
    return key < row_of_.size() ? row_of_[key] : kNoRow;
  }
  void Insert(const Rows&, Key key, std::uint32_t row);
  void Erase(const Rows&, Key key) { row_of_[key] = kNoRow; }
  // Makes room for all of `rows`, of which 1 .. size are in use.
  void Resize(const Rows&, std::int64_t) {}
  void Clear();

 private:
  std::vector<std::uint32_t> row_of_;
};

// For any 64-bit keys: open addressing, at most half full. 8 to 16 bytes a row.
class HashRowMap {
 public:
  using Key = std::uint64_t;
  using Rows = std::vector<IndexedRow<Key>>;
  static constexpr std::int64_t kMaxBytesPerKey = 16;

  std::uint32_t Find(const Rows& rows, Key key) const { return buckets_[FindBucket(rows, key)]; }
  void Insert(const Rows& rows, Key key, std::uint32_t row);
  void Erase(const Rows& rows, Key key);
  void Resize(const Rows& rows, std::int64_t size);
  void Clear();

 private:
  std::size_t HomeBucket(Key key) const;
  std::size_t FindBucket(const Rows& rows, Key key) const;

  std::vector<std::uint32_t> buckets_ = {kNoRow};  // a power of two of rows
};

// Thread-compatible. Memory: a row takes sizeof(IndexedRow) and what the map takes for it; it grows
// by doubling up to `max_rows`.
template <class RowMap>
class BasicRowIndex {
 public:
  using Key = typename RowMap::Key;
  static constexpr std::int64_t kMaxBytesPerRow =
      static_cast<std::int64_t>(sizeof(IndexedRow<Key>)) + RowMap::kMaxBytesPerKey;

  // At most `max_rows` keys have a row at a time; 1 <= max_rows < 2^31.
  explicit BasicRowIndex(std::int64_t max_rows);

  // The key's row, or kNoRow. Changes nothing.
  std::uint32_t Find(Key key) const { return map_.Find(rows_, key); }

  struct Admission {
    std::uint32_t row = kNoRow;
    // The row has just been given to the key; whoever keeps data by row clears it.
    bool fresh = false;
  };
  // The key becomes the most recently active; it gets a row if it has none.
  Admission Admit(Key key);

  void Clear();

  // Rows in use are 1 .. size().
  std::int64_t size() const { return size_; }
  std::int64_t max_rows() const { return max_rows_; }
  Key KeyOf(std::uint32_t row) const { return rows_[row].key; }
  // How often a key lost its row, since construction or Clear.
  std::int64_t eviction_count() const { return eviction_count_; }

  // At most `limit` keys, most recently active first.
  std::vector<Key> MostRecent(std::int64_t limit) const;

  // Everything there is to save: the keys by row (1 .. size()), and the rows from least to most
  // recently active.
  std::vector<Key> KeysByRow() const;
  std::vector<std::uint32_t> RowsOldestFirst() const;
  // What these two gave. False, and the index is empty, for more than max_rows() keys, a key given
  // twice, or an order that does not name each row once.
  [[nodiscard]] bool Restore(std::span<const Key> keys_by_row,
                             std::span<const std::uint32_t> rows_oldest_first,
                             std::int64_t eviction_count);

 private:
  bool RestoreKeys(std::span<const Key> keys_by_row);
  bool RestoreOrder(std::span<const std::uint32_t> rows_oldest_first);
  void Resize(std::int64_t row_count);
  void Unlink(std::uint32_t row);
  void LinkAsLatest(std::uint32_t row);

  std::int64_t max_rows_;
  std::int64_t size_ = 0;
  std::int64_t eviction_count_ = 0;
  std::vector<IndexedRow<Key>> rows_;
  RowMap map_;
};

extern template class BasicRowIndex<DenseRowMap>;
extern template class BasicRowIndex<HashRowMap>;

using RowIndex = BasicRowIndex<DenseRowMap>;       // of nodes
using HashedRowIndex = BasicRowIndex<HashRowMap>;  // of 64-bit keys

}  // namespace weft::cache
