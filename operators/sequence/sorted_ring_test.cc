#include "operators/sequence/sorted_ring.h"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"

namespace weft::operators::sequence {
namespace {

void ExpectHolds(const SortedRing& ring, std::vector<float> latest) {
  std::ranges::sort(latest);
  ASSERT_EQ(ring.size(), latest.size());
  std::vector<float> sorted;
  ring.VisitFrom(0, [&sorted](float one) { sorted.push_back(one); });
  ASSERT_EQ(sorted, latest);
  for (std::size_t rank = 0; rank < latest.size(); rank += 1 + latest.size() / 7) {
    ASSERT_EQ(ring.At(rank), latest[rank]);
    const float value = latest[rank];
    ASSERT_EQ(ring.CountAtLeast(value), static_cast<std::size_t>(std::ranges::count_if(
                                            latest, [value](float x) { return x >= value; })));
    std::size_t visited = 0;
    ring.VisitFrom(rank, [&](float one) { ASSERT_EQ(one, latest[rank + visited++]); });
    ASSERT_EQ(visited, latest.size() - rank);
  }
  ASSERT_EQ(ring.CountAtLeast(latest.back() + 1.0f), 0u);
  ASSERT_EQ(ring.CountAtLeast(latest.front() - 1.0f), latest.size());
}

// Values that repeat, that wander off, that fall into two heaps, and that only rise.
TEST(SortedRing, HoldsTheLatestInOrder) {
  std::mt19937_64 random(1);
  const std::function<float(int)> streams[] = {
      [&](int) { return static_cast<float>(random() % 30); },
      [&](int i) { return static_cast<float>(i) * 0.01f + static_cast<float>(random() % 100); },
      [&](int i) { return static_cast<float>(i / 700 % 2 * 1000 + random() % 200); },
      [&](int i) { return static_cast<float>(i); }};
  for (const auto& stream : streams)
    for (const std::size_t most : {50u, 1000u}) {
      SortedRing ring(most);
      std::vector<float> all;
      for (int i = 0; i < 5000; ++i) {
        all.push_back(stream(i));
        ring.Add(all.back());
        if (i % 61 != 0) continue;
        const auto held = static_cast<std::ptrdiff_t>(std::min(most, all.size()));
        ExpectHolds(ring, {all.end() - held, all.end()});
      }
      // Chunks that many have left are put together.
      EXPECT_LE(ring.bytes(), 30 * most + 4096);
    }
}

TEST(SortedRing, KeepsTheLatestAndGoesOnAfterSaveAndLoad) {
  std::mt19937_64 random(2);
  SortedRing ring(300), restored(300);
  std::vector<float> all;
  const auto add = [&](SortedRing& to, int count) {
    for (int i = 0; i < count; ++i) {
      all.push_back(static_cast<float>(random() % 1000));
      to.Add(all.back());
    }
  };
  add(ring, 1000);
  ring.KeepLatest(40);
  ExpectHolds(ring, {all.end() - 40, all.end()});
  add(ring, 100);
  ExpectHolds(ring, {all.end() - 140, all.end()});
  cache::SaveAndLoad(ring, restored);
  add(restored, 200);
  ExpectHolds(restored, {all.end() - 300, all.end()});
}

}  // namespace
}  // namespace weft::operators::sequence
