#include "operators/learn/shapley_values.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "gpu/host_device.h"

namespace weft::operators::learn {
namespace {

TEST(ShapleyValues, AreTheMeanOverAllOrders) {
  constexpr std::size_t kPlayers = 5;
  std::vector<float> value(1u << kPlayers);
  for (std::size_t s = 0; s < value.size(); ++s)
    value[s] = static_cast<float>(gpu::Mix64(s) % 1000) * 0.01f;
  std::vector<std::size_t> order(kPlayers);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> sum(kPlayers);
  int orders = 0;
  do {
    std::uint32_t here = 0;
    for (const std::size_t player : order) {
      sum[player] += double{value[here | 1u << player]} - double{value[here]};
      here |= 1u << player;
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  const std::vector<double> shapley = ShapleyValues(kPlayers, value);
  for (std::size_t player = 0; player < kPlayers; ++player)
    EXPECT_NEAR(shapley[player], sum[player] / orders, 1e-9);
}

TEST(ShapleyValues, OfIndependentPlayersAreWhatEachBrings) {
  std::vector<float> value(8);
  for (std::uint32_t s = 0; s < 8; ++s)
    value[s] = 7.0f + ((s & 1) != 0 ? 1.0f : 0.0f) + ((s & 4) != 0 ? -2.0f : 0.0f);
  const std::vector<double> shapley = ShapleyValues(3, value);
  EXPECT_NEAR(shapley[0], 1.0, 1e-12);
  EXPECT_NEAR(shapley[1], 0.0, 1e-12);
  EXPECT_NEAR(shapley[2], -2.0, 1e-12);
}

}  // namespace
}  // namespace weft::operators::learn
