// Both kinds of row index against a plain list.
#include "cache/row_index.h"

#include <algorithm>
#include <list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::cache {
namespace {

template <class Index>
class RowIndexTest : public testing::Test {};

using Indexes = testing::Types<RowIndex, HashedRowIndex>;
TYPED_TEST_SUITE(RowIndexTest, Indexes);

template <class Index>
void AdmitAtRandom(Index& index, int key_count, int steps, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int step = 0; step < steps; ++step)
    index.Admit(static_cast<typename Index::Key>(random() % static_cast<unsigned>(key_count)));
}

TYPED_TEST(RowIndexTest, AgreesWithAList) {
  using Key = typename TypeParam::Key;
  for (const std::int64_t max_rows : {1, 2, 7, 64}) {
    TypeParam index(max_rows);
    std::list<Key> recent;
    std::int64_t evictions = 0;
    std::mt19937_64 random(static_cast<std::uint64_t>(max_rows));
    for (int step = 0; step < 5000; ++step) {
      const auto key = static_cast<Key>(random() % 100);
      const bool known = std::find(recent.begin(), recent.end(), key) != recent.end();
      ASSERT_EQ(index.Find(key) != kNoRow, known);
      const auto [row, fresh] = index.Admit(key);
      ASSERT_EQ(fresh, !known);
      ASSERT_EQ(index.Find(key), row);
      ASSERT_EQ(index.KeyOf(row), key);
      recent.remove(key);
      recent.push_front(key);
      if (static_cast<std::int64_t>(recent.size()) > max_rows) {
        recent.pop_back();
        ++evictions;
      }
      ASSERT_EQ(index.MostRecent(max_rows), std::vector<Key>(recent.begin(), recent.end()));
      ASSERT_EQ(index.eviction_count(), evictions);
    }
  }
}

TYPED_TEST(RowIndexTest, RowsAreStableAndWithoutHoles) {
  TypeParam index(3);
  EXPECT_EQ(index.Admit(10).row, 1u);
  EXPECT_EQ(index.Admit(11).row, 2u);
  EXPECT_EQ(index.Admit(12).row, 3u);
  EXPECT_EQ(index.Admit(10).row, 1u);
  EXPECT_EQ(index.Admit(13).row, 2u);  // 11 was inactive longest
  index.Clear();
  EXPECT_EQ(index.size(), 0);
  EXPECT_EQ(index.Find(10), kNoRow);
  EXPECT_TRUE(index.MostRecent(3).empty());
  EXPECT_EQ(index.Admit(99).row, 1u);
}

TYPED_TEST(RowIndexTest, KeepsItsRowsWhenItGrows) {
  TypeParam index(100'000);
  for (std::uint32_t key = 0; key < 100'000; ++key) ASSERT_EQ(index.Admit(7 * key).row, key + 1);
  for (std::uint32_t key = 0; key < 100'000; ++key) ASSERT_EQ(index.Find(7 * key), key + 1);
  EXPECT_EQ(index.Find(1), kNoRow);
  EXPECT_EQ(index.eviction_count(), 0);
  EXPECT_EQ(index.Admit(1).row, 1u);
  EXPECT_EQ(index.Find(0), kNoRow);
}

TYPED_TEST(RowIndexTest, GoesOnAsBeforeWhenRestored) {
  TypeParam index(2000);
  AdmitAtRandom(index, 5000, 20'000, 5);
  TypeParam restored(2000);
  AdmitAtRandom(restored, 9, 20, 6);
  ASSERT_TRUE(restored.Restore(index.KeysByRow(), index.RowsOldestFirst(), index.eviction_count()));
  std::mt19937_64 random(7);
  for (int step = 0; step < 2000; ++step) {
    const auto key = static_cast<typename TypeParam::Key>(random() % 5000);
    ASSERT_EQ(restored.Admit(key).row, index.Admit(key).row);
  }
  EXPECT_EQ(restored.MostRecent(2000), index.MostRecent(2000));
  EXPECT_EQ(restored.eviction_count(), index.eviction_count());
}

TYPED_TEST(RowIndexTest, RefusesWhatIsNotAnIndex) {
  using Keys = std::vector<typename TypeParam::Key>;
  using Order = std::vector<std::uint32_t>;
  const struct {
    Keys keys;
    Order order;
  } cases[] = {
      {{1, 2, 3, 4}, {1, 2, 3, 4}},  // more than max_rows
      {{1, 2, 1}, {1, 2, 3}},        // a key twice
      {{1, 2, 3}, {1, 2}},           // a row left out
      {{1, 2, 3}, {1, 2, 2}},        // a row twice
      {{1, 2, 3}, {0, 1, 2}},        // the row that belongs to nobody
      {{1, 2, 3}, {1, 2, 4}},        // a row that does not exist
  };
  for (const auto& broken : cases) {
    TypeParam index(3);
    index.Admit(8);
    EXPECT_FALSE(index.Restore(broken.keys, broken.order, 0));
    EXPECT_EQ(index.size(), 0);
    EXPECT_EQ(index.Find(1), kNoRow);
    EXPECT_EQ(index.Admit(9).row, 1u);
  }
}

}  // namespace
}  // namespace weft::cache
