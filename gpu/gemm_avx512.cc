// Tiles of up to 8 x 48 outputs: 24 of the 32 registers of AVX-512 hold sums. Only called where the
// machine has it.
#include <immintrin.h>

#include "gpu/gemm_panels.h"
#include "gpu/host_device.h"

#define WEFT_TARGET __attribute__((target("avx512f")))

namespace weft::gpu::internal {
namespace {

constexpr std::int64_t kTileRows = 8;
constexpr __mmask16 kAll = 0xffff;

// Rows [i, i + kRows) and kVectors vectors of columns from j on, the last one behind a mask.
template <int kRows, int kVectors, bool kGathered>
WEFT_TARGET void Tile(const GemmArguments& g, std::int64_t i, std::int64_t j, __mmask16 last) {
  constexpr int kLast = kVectors - 1;
  __m512 sum[kRows][kVectors];
  float* c = g.c + i * g.c_row_stride + j;
  const float* start = g.accumulate ? c : g.bias != nullptr ? g.bias + j : nullptr;
  WEFT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    WEFT_UNROLL
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = start == nullptr ? _mm512_setzero_ps()
                                   : _mm512_maskz_loadu_ps(v < kLast ? kAll : last, start + 16 * v);
    if (g.accumulate) start += g.c_row_stride;
  }
  const RowsOfA<kRows> a(g, i);
  const float* b = g.b + j;
  const std::int64_t depth = g.k, a_step = g.a_column_stride, b_step = g.b_row_stride;
  for (std::int64_t k = 0, at = 0; k < depth; ++k, at += a_step, b += b_step) {
    if constexpr (kGathered) b = g.b + g.b_row[k] * b_step + j;
    __m512 row[kVectors];
    WEFT_UNROLL
    for (int v = 0; v < kVectors; ++v)
      row[v] = _mm512_maskz_loadu_ps(v < kLast ? kAll : last, b + 16 * v);
    WEFT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 factor = _mm512_set1_ps(a.at[r][at]);
      WEFT_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_fmadd_ps(factor, row[v], sum[r][v]);
    }
  }
  WEFT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    WEFT_UNROLL
    for (int v = 0; v < kVectors; ++v)
      _mm512_mask_storeu_ps(c + r * g.c_row_stride + 16 * v, v < kLast ? kAll : last, sum[r][v]);
  }
}

template <int kRows, int kVectors>
void AnyTile(const GemmArguments& g, std::int64_t i, std::int64_t j, __mmask16 last) {
  return g.b_row != nullptr ? Tile<kRows, kVectors, true>(g, i, j, last)
                            : Tile<kRows, kVectors, false>(g, i, j, last);
}

// The last g.m - i < kTileRows rows, in one tile.
template <int kRows, int kVectors>
void LastRows(const GemmArguments& g, std::int64_t i, std::int64_t j, __mmask16 last) {
  if constexpr (kRows > 0) {
    if (g.m - i == kRows) return AnyTile<kRows, kVectors>(g, i, j, last);
    LastRows<kRows - 1, kVectors>(g, i, j, last);
  }
}

template <int kVectors>
void ColumnTiles(const GemmArguments& g, std::int64_t j, __mmask16 last) {
  std::int64_t i = 0;
  for (; i + kTileRows <= g.m; i += kTileRows) AnyTile<kTileRows, kVectors>(g, i, j, last);
  LastRows<kTileRows - 1, kVectors>(g, i, j, last);
}

}  // namespace

void GemmPanelAvx512(const GemmArguments& g, std::int64_t j, std::int64_t columns) {
  const std::int64_t beyond = (16 - columns % 16) % 16;
  const auto last = static_cast<__mmask16>(0xffff >> beyond);
  if (columns > 32) return ColumnTiles<3>(g, j, last);
  if (columns > 16) return ColumnTiles<2>(g, j, last);
  ColumnTiles<1>(g, j, last);
}

}  // namespace weft::gpu::internal
