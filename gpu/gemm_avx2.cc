// Tiles of up to 6 x 16 outputs: 12 of the 16 registers of AVX2 hold sums.
#include <immintrin.h>

#include "gpu/gemm_panels.h"

namespace weft::gpu::internal {
namespace {

constexpr std::int64_t kTileRows = 6;

// Rows [i, i + kRows) and the 8 * kVectors columns from j on.
template <int kRows, int kVectors, bool kGathered>
void Tile(const GemmArguments& g, std::int64_t i, std::int64_t j) {
  __m256 sum[kRows][kVectors];
  float* c = g.c + i * g.c_row_stride + j;
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = g.accumulate        ? _mm256_loadu_ps(c + r * g.c_row_stride + 8 * v)
                  : g.bias != nullptr ? _mm256_loadu_ps(g.bias + j + 8 * v)
                                      : _mm256_setzero_ps();
  const RowsOfA<kRows> a(g, i);
  const float* b = g.b + j;
  std::int64_t at = 0;
  for (std::int64_t k = 0; k < g.k; ++k, at += g.a_column_stride, b += g.b_row_stride) {
    if constexpr (kGathered) b = g.b + g.b_row[k] * g.b_row_stride + j;
    __m256 row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = _mm256_loadu_ps(b + 8 * v);
    for (int r = 0; r < kRows; ++r) {
      const __m256 factor = _mm256_broadcast_ss(a.at[r] + at);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_fmadd_ps(factor, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) _mm256_storeu_ps(c + r * g.c_row_stride + 8 * v, sum[r][v]);
}

// The last n % 8 columns of rows [i, i + kRows), behind a mask.
template <int kRows, bool kGathered>
void MaskedTile(const GemmArguments& g, std::int64_t i, std::int64_t j) {
  alignas(32) std::int32_t lanes[8];
  for (std::int64_t l = 0; l < 8; ++l) lanes[l] = j + l < g.n ? -1 : 0;
  const __m256i mask = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
  __m256 sum[kRows];
  float* c = g.c + i * g.c_row_stride + j;
  for (int r = 0; r < kRows; ++r)
    sum[r] = g.accumulate        ? _mm256_maskload_ps(c + r * g.c_row_stride, mask)
             : g.bias != nullptr ? _mm256_maskload_ps(g.bias + j, mask)
                                 : _mm256_setzero_ps();
  const RowsOfA<kRows> a(g, i);
  const float* b = g.b + j;
  std::int64_t at = 0;
  for (std::int64_t k = 0; k < g.k; ++k, at += g.a_column_stride, b += g.b_row_stride) {
    if constexpr (kGathered) b = g.b + g.b_row[k] * g.b_row_stride + j;
    const __m256 row = _mm256_maskload_ps(b, mask);
    for (int r = 0; r < kRows; ++r)
      sum[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a.at[r] + at), row, sum[r]);
  }
  for (int r = 0; r < kRows; ++r) _mm256_maskstore_ps(c + r * g.c_row_stride, mask, sum[r]);
}

// kVectors 0 stands for the masked columns.
template <int kRows, int kVectors>
void AnyTile(const GemmArguments& g, std::int64_t i, std::int64_t j) {
  const bool gathered = g.b_row != nullptr;
  if constexpr (kVectors == 0) {
    gathered ? MaskedTile<kRows, true>(g, i, j) : MaskedTile<kRows, false>(g, i, j);
  } else {
    gathered ? Tile<kRows, kVectors, true>(g, i, j) : Tile<kRows, kVectors, false>(g, i, j);
  }
}

template <int kVectors>
void ColumnTiles(const GemmArguments& g, std::int64_t j) {
  std::int64_t i = 0;
  for (; i + kTileRows <= g.m; i += kTileRows) AnyTile<kTileRows, kVectors>(g, i, j);
  switch (g.m - i) {
    case 1:
      return AnyTile<1, kVectors>(g, i, j);
    case 2:
      return AnyTile<2, kVectors>(g, i, j);
    case 3:
      return AnyTile<3, kVectors>(g, i, j);
    case 4:
      return AnyTile<4, kVectors>(g, i, j);
    case 5:
      return AnyTile<5, kVectors>(g, i, j);
    default:
      return;
  }
}

}  // namespace

void GemmPanelAvx2(const GemmArguments& g, std::int64_t j, std::int64_t columns) {
  if (columns == kAvx2PanelColumns) return ColumnTiles<2>(g, j);
  if (columns >= 8) {
    ColumnTiles<1>(g, j);
    j += 8;
  }
  if (columns % 8 != 0) ColumnTiles<0>(g, j);
}

}  // namespace weft::gpu::internal
