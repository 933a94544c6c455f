// Permanences of synapses in fixed point (htm.md: sums of them are exact and the same everywhere).
#pragma once

#include <cmath>
#include <cstdint>

namespace weft::operators::sequence {

// A permanence of 1.
inline constexpr std::int32_t kWholePermanence = 10'000;

inline std::int32_t FixedPermanence(double permanence) {
  return static_cast<std::int32_t>(std::floor(permanence * kWholePermanence + 0.5));
}

}  // namespace weft::operators::sequence
