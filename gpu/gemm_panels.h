// The vectorised halves of GemmHost: all rows of a panel of columns, in register tiles, vectorised
// over outputs and never over k. Internal to gpu/.
#pragma once

#include <cstdint>

#include "gpu/gemm.h"

namespace weft::gpu::internal {

inline constexpr std::int64_t kAvx2PanelColumns = 16;
inline constexpr std::int64_t kAvx512PanelColumns = 48;

// Columns [j, j + columns), with columns up to the panel's.
void GemmPanelAvx2(const GemmArguments& g, std::int64_t j, std::int64_t columns);
void GemmPanelAvx512(const GemmArguments& g, std::int64_t j, std::int64_t columns);

// Where kRows rows of a begin, at column 0.
template <int kRows>
struct RowsOfA {
  const float* at[kRows];
  RowsOfA(const GemmArguments& g, std::int64_t i) {
    for (int r = 0; r < kRows; ++r)
      at[r] = g.a + (g.a_row == nullptr ? i + r : g.a_row[i + r]) * g.a_row_stride;
  }
};

}  // namespace weft::gpu::internal
