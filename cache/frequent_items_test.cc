#include "cache/frequent_items.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace weft::cache {
namespace {

TEST(FrequentItems, CountsExactlyWhileThereIsRoom) {
  FrequentItems items;
  for (std::uint64_t round = 0; round < 5; ++round)
    for (std::uint64_t key = 0; key < 1000; ++key) items.Add(key * key, key % 7 + 1);
  ASSERT_EQ(items.items().size(), 1000u);
  for (const auto& [key, count] : items.Top(1000)) {
    std::uint64_t root = 0;
    while (root * root < key) ++root;
    EXPECT_EQ(count, 5 * (root % 7 + 1));
  }
  EXPECT_EQ(items.Top(3)[0], (FrequentItems::Item{36, 35}));
  EXPECT_EQ(items.Top(3)[1], (FrequentItems::Item{13 * 13, 35}));
}

TEST(FrequentItems, FindsTheFrequentOnesOfMany) {
  FrequentItems items;
  std::map<std::uint64_t, std::uint64_t> truth;
  std::mt19937_64 random(1);
  std::uint64_t all = 0;
  for (int i = 0; i < 300'000; ++i) {
    // One in three is of the first 50.
    const std::uint64_t key = random() % 3 == 0 ? random() % 50 : random() % 100'000;
    items.Add(key);
    ++truth[key];
    ++all;
  }
  EXPECT_LE(items.items().size(), static_cast<std::size_t>(FrequentItems::kCounters));
  for (const auto& [key, count] : items.items()) EXPECT_LE(count, truth[key]);
  const auto top = items.Top(50);
  for (const auto& [key, count] : top) {
    EXPECT_LT(key, 50u);
    EXPECT_GE(count + all / 512, truth[key]);
  }
}

TEST(FrequentItems, AddsOthers) {
  FrequentItems some, others;
  some.Add(7, 2);
  others.Add(7, 3);
  others.Add(9, 4);
  some.Add(others);
  EXPECT_EQ(some.Top(9), (std::vector<FrequentItems::Item>{{7, 5}, {9, 4}}));
  some.Clear();
  EXPECT_TRUE(some.Top(9).empty());
}

}  // namespace
}  // namespace weft::cache
