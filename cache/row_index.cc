#include "cache/row_index.h"

#include <algorithm>
#include <bit>

namespace weft::cache {
namespace {

constexpr std::int64_t kFirstRows = 1023;  // taken at once; with row 0 a power of two

// The finalizer of MurmurHash3: every bit of the key moves every bit of the result.
std::uint64_t Mix(std::uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdULL;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53ULL;
  return key ^ (key >> 33);
}

}  // namespace

void DenseRowMap::Insert(const Rows&, Key key, std::uint32_t row) {
  if (key >= row_of_.size())
    row_of_.resize(std::max<std::size_t>(std::size_t{key} + 1, 2 * row_of_.size()));
  row_of_[key] = row;
}

void DenseRowMap::Clear() { std::fill(row_of_.begin(), row_of_.end(), kNoRow); }

std::size_t HashRowMap::HomeBucket(Key key) const { return Mix(key) & (buckets_.size() - 1); }

std::size_t HashRowMap::FindBucket(const Rows& rows, Key key) const {
  std::size_t bucket = HomeBucket(key);
  while (buckets_[bucket] != kNoRow && rows[buckets_[bucket]].key != key)
    bucket = (bucket + 1) & (buckets_.size() - 1);
  return bucket;
}

void HashRowMap::Insert(const Rows& rows, Key key, std::uint32_t row) {
  buckets_[FindBucket(rows, key)] = row;
}

// Moves later entries of the probe sequence up, so that no search stops too early.
void HashRowMap::Erase(const Rows& rows, Key key) {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t hole = FindBucket(rows, key);
  for (std::size_t next = (hole + 1) & mask; buckets_[next] != kNoRow; next = (next + 1) & mask) {
    const std::size_t home = HomeBucket(rows[buckets_[next]].key);
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    buckets_[hole] = buckets_[next];
    hole = next;
  }
  buckets_[hole] = kNoRow;
}

void HashRowMap::Resize(const Rows& rows, std::int64_t size) {
  buckets_.assign(std::bit_ceil(2 * rows.size()), kNoRow);
  for (std::uint32_t row = 1; row <= size; ++row) Insert(rows, rows[row].key, row);
}

void HashRowMap::Clear() { std::fill(buckets_.begin(), buckets_.end(), kNoRow); }

template <class RowMap>
BasicRowIndex<RowMap>::BasicRowIndex(std::int64_t max_rows) : max_rows_(max_rows) {
  Resize(std::min(max_rows, kFirstRows));
}

template <class RowMap>
void BasicRowIndex<RowMap>::Clear() {
  size_ = 0;
  eviction_count_ = 0;
  rows_[0] = {};
  map_.Clear();
}

template <class RowMap>
void BasicRowIndex<RowMap>::Resize(std::int64_t row_count) {
  rows_.resize(static_cast<std::size_t>(row_count) + 1);
  map_.Resize(rows_, size_);
}

template <class RowMap>
void BasicRowIndex<RowMap>::Unlink(std::uint32_t row) {
  const auto [key, later, earlier] = rows_[row];
  rows_[later].earlier = earlier;
  rows_[earlier].later = later;
}

template <class RowMap>
void BasicRowIndex<RowMap>::LinkAsLatest(std::uint32_t row) {
  const std::uint32_t latest = rows_[0].earlier;
  rows_[row].later = 0;
  rows_[row].earlier = latest;
  rows_[latest].later = row;
  rows_[0].earlier = row;
}

template <class RowMap>
typename BasicRowIndex<RowMap>::Admission BasicRowIndex<RowMap>::Admit(Key key) {
  std::uint32_t row = map_.Find(rows_, key);
  if (row != kNoRow) {
    if (rows_[0].earlier != row) {
      Unlink(row);
      LinkAsLatest(row);
    }
    return {row, false};
  }
  if (size_ < max_rows_) {
    if (size_ + 1 == static_cast<std::int64_t>(rows_.size()))
      Resize(std::min(max_rows_, 2 * size_ + 1));
    row = static_cast<std::uint32_t>(++size_);
  } else {
    row = rows_[0].later;
    Unlink(row);
    map_.Erase(rows_, rows_[row].key);
    ++eviction_count_;
  }
  map_.Insert(rows_, key, row);
  rows_[row].key = key;
  LinkAsLatest(row);
  return {row, true};
}

template <class RowMap>
std::vector<typename RowMap::Key> BasicRowIndex<RowMap>::MostRecent(std::int64_t limit) const {
  std::vector<Key> keys(static_cast<std::size_t>(std::clamp<std::int64_t>(limit, 0, size_)));
  std::uint32_t row = 0;
  for (Key& key : keys) {
    row = rows_[row].earlier;
    key = rows_[row].key;
  }
  return keys;
}

template <class RowMap>
std::vector<typename RowMap::Key> BasicRowIndex<RowMap>::KeysByRow() const {
  std::vector<Key> keys(static_cast<std::size_t>(size_));
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = rows_[i + 1].key;
  return keys;
}

template <class RowMap>
std::vector<std::uint32_t> BasicRowIndex<RowMap>::RowsOldestFirst() const {
  std::vector<std::uint32_t> order;
  order.reserve(static_cast<std::size_t>(size_));
  for (std::uint32_t row = rows_[0].later; row != 0; row = rows_[row].later) order.push_back(row);
  return order;
}

template <class RowMap>
bool BasicRowIndex<RowMap>::Restore(std::span<const Key> keys_by_row,
                                    std::span<const std::uint32_t> rows_oldest_first,
                                    std::int64_t eviction_count) {
  Clear();
  if (RestoreKeys(keys_by_row) && RestoreOrder(rows_oldest_first)) {
    eviction_count_ = eviction_count;
    return true;
  }
  Clear();
  return false;
}

template <class RowMap>
bool BasicRowIndex<RowMap>::RestoreKeys(std::span<const Key> keys_by_row) {
  const auto count = static_cast<std::int64_t>(keys_by_row.size());
  if (count > max_rows_) return false;
  if (keys_by_row.size() >= rows_.size()) Resize(count);
  for (const Key key : keys_by_row) {
    if (map_.Find(rows_, key) != kNoRow) return false;
    const auto row = static_cast<std::uint32_t>(++size_);
    map_.Insert(rows_, key, row);
    rows_[row].key = key;
  }
  return true;
}

template <class RowMap>
bool BasicRowIndex<RowMap>::RestoreOrder(std::span<const std::uint32_t> rows_oldest_first) {
  if (static_cast<std::int64_t>(rows_oldest_first.size()) != size_) return false;
  std::vector<bool> linked(rows_oldest_first.size() + 1);
  linked[0] = true;
  for (const std::uint32_t row : rows_oldest_first) {
    if (row > size_ || linked[row]) return false;
    linked[row] = true;
    LinkAsLatest(row);
  }
  return true;
}

template class BasicRowIndex<DenseRowMap>;
template class BasicRowIndex<HashRowMap>;

}  // namespace weft::cache
