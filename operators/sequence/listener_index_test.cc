#include "operators/sequence/listener_index.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::sequence {
namespace {

constexpr std::uint32_t kCells = 50;

// Against a map from cell and segment to whether it is connected; numbers on three pages.
TEST(ListenerIndexTest, CountsWhatAMapSays) {
  constexpr std::uint32_t kPlaces = 3 * 65'535;
  ListenerIndex index(kCells);
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> plain;
  std::mt19937 random(4);
  const auto check = [&] {
    std::vector<std::uint32_t> cells;
    for (std::uint32_t cell = 0; cell < kCells; ++cell)
      if (random() % 2 == 0) cells.push_back(cell);
    std::vector<std::uint16_t> expected(kPlaces), dense(kPlaces), sparse(kPlaces);
    std::int64_t synapses = 0;
    for (const auto& [where, connected] : plain) {
      if (!std::ranges::binary_search(cells, where.first)) continue;
      expected[where.second] = static_cast<std::uint16_t>(
          expected[where.second] + 1 + (connected ? ListenerIndex::kConnectedOne : 0));
      ++synapses;
    }
    index.Count(cells, dense);
    std::vector<std::uint32_t> touched;
    index.Count(cells, sparse, touched);
    EXPECT_EQ(dense, expected);
    EXPECT_EQ(sparse, expected);
    EXPECT_EQ(index.SynapsesOn(cells), synapses);
    std::ranges::sort(touched);
    std::vector<std::uint32_t> counted;
    for (std::uint32_t id = 0; id < kPlaces; ++id)
      if (expected[id] != 0) counted.push_back(id);
    EXPECT_EQ(touched, counted);
  };
  for (int i = 0; i < 30'000; ++i) {
    const bool grows = i < 20'000;
    if (plain.empty() || random() % 4 < (grows ? 3 : 1)) {
      const std::pair<std::uint32_t, std::uint32_t> where(random() % kCells, random() % kPlaces);
      const bool connected = random() % 2 == 0;
      if (plain.try_emplace(where, connected).second)
        index.Add(where.first, where.second, connected);
    } else {
      auto at = plain.lower_bound({random() % kCells, random() % kPlaces});
      if (at == plain.end()) at = plain.begin();
      if (random() % 2 == 0) {
        at->second = random() % 2 == 0;
        index.SetConnected(at->first.first, at->first.second, at->second);
      } else {
        index.Remove(at->first.first, at->first.second);
        plain.erase(at);
      }
    }
    if (i % 5'000 == 0) check();
  }
  check();
}

// What is left of many is as small as if they had never been.
TEST(ListenerIndexTest, GivesMemoryBack) {
  ListenerIndex index(kCells);
  index.Add(0, 0, true);
  const std::size_t empty = index.bytes();
  for (std::uint32_t id = 1; id < 10'000; ++id) index.Add(0, id, id % 2 == 0);
  EXPECT_LT(index.bytes(), empty + 10'000 * 2 * 17 / 16 + 64);
  for (std::uint32_t id = 9'999; id > 0; --id) index.Remove(0, id);
  EXPECT_LE(index.bytes(), empty + 64);
}

}  // namespace
}  // namespace weft::operators::sequence
