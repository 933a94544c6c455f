#include "operators/learn/shapley_values.h"

#include <bit>
#include <cstdint>

#include "graph/check.h"

namespace weft::operators::learn {

std::vector<double> ShapleyValues(std::size_t count, std::span<const float> value) {
  WEFT_CHECK(count > 0 && count < 32 && value.size() == std::size_t{1} << count);
  // Of orders, those in which exactly these others come before a player, by how many they are.
  std::vector<double> share(count);
  share[0] = 1.0 / static_cast<double>(count);
  for (std::size_t size = 1; size < count; ++size)
    share[size] = share[size - 1] * static_cast<double>(size) / static_cast<double>(count - size);
  std::vector<double> gain(count);
  for (std::size_t player = 0; player < count; ++player) {
    const std::uint32_t bit = 1u << player;
    for (std::uint32_t others = 0; others < value.size(); ++others) {
      if ((others & bit) != 0) continue;
      gain[player] += share[static_cast<std::size_t>(std::popcount(others))] *
                      (double{value[others | bit]} - double{value[others]});
    }
  }
  return gain;
}

}  // namespace weft::operators::learn
