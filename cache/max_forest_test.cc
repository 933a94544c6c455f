#include "cache/max_forest.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace weft::cache {
namespace {

TEST(MaxForest, AgreesWithALoop) {
  constexpr std::int64_t kPlaces = 64;
  MaxForest forest;
  forest.Reset(kPlaces);
  std::vector<std::int64_t> values(kPlaces, MaxForest::kNothing);
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto place = static_cast<std::int64_t>(random() % kPlaces);
    const std::int64_t value =
        random() % 9 == 0 ? MaxForest::kNothing : static_cast<std::int64_t>(random() % 20) - 10;
    forest.Set(place, value);
    values[static_cast<std::size_t>(place)] = value;
    const auto begin = static_cast<std::int64_t>(random() % (kPlaces + 1));
    const auto end = begin + static_cast<std::int64_t>(
                                 random() % static_cast<std::uint64_t>(kPlaces + 1 - begin));
    const auto first = values.begin() + begin, last = values.begin() + end;
    std::int64_t visited = 0;
    const auto best = std::max_element(first, last);
    const auto found = forest.Best(begin, end, visited);
    if (best == last || *best == MaxForest::kNothing) {
      EXPECT_FALSE(found);
    } else {
      EXPECT_EQ(found, best - values.begin());
    }
    const auto least = static_cast<std::int64_t>(random() % 24) - 12;
    const auto enough =
        std::find_if(first, last, [least](std::int64_t one) { return one >= least; });
    const auto at_least = forest.FirstAtLeast(begin, end, least, visited);
    if (enough == last) {
      EXPECT_FALSE(at_least);
    } else {
      EXPECT_EQ(at_least, enough - values.begin());
    }
    EXPECT_LE(visited, 60);
  }
}

}  // namespace
}  // namespace weft::cache
