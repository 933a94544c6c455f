// Gemm on x86-64-v3: register tiles of up to 6 x 16 outputs, vectorised over outputs, never over k.
#include <algorithm>

#include <immintrin.h>

#include "gpu/gemm.h"
#include "gpu/launch.h"

namespace weft::gpu::internal {
namespace {

constexpr std::int64_t kTileRows = 6;
constexpr std::int64_t kTileColumns = 16;
// A task of less work than this costs more to hand out than to do.
constexpr std::int64_t kMultiplyAddsPerTask = 400'000;

// Rows [i, i + kRows) and the 8 * kVectors columns from j on.
template <int kRows, int kVectors>
void Tile(const GemmArguments& g, std::int64_t i, std::int64_t j) {
  __m256 sum[kRows][kVectors];
  float* c = g.c + i * g.c_row_stride + j;
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = g.accumulate        ? _mm256_loadu_ps(c + r * g.c_row_stride + 8 * v)
                  : g.bias != nullptr ? _mm256_loadu_ps(g.bias + j + 8 * v)
                                      : _mm256_setzero_ps();
  const float* a = g.a + i * g.a_row_stride;
  const float* b = g.b + j;
  for (std::int64_t k = 0; k < g.k; ++k) {
    __m256 row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = _mm256_loadu_ps(b + 8 * v);
    for (int r = 0; r < kRows; ++r) {
      const __m256 factor = _mm256_broadcast_ss(a + r * g.a_row_stride);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_fmadd_ps(factor, row[v], sum[r][v]);
    }
    a += g.a_column_stride;
    b += g.b_row_stride;
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) _mm256_storeu_ps(c + r * g.c_row_stride + 8 * v, sum[r][v]);
}

// The last n % 8 columns of rows [i, i + kRows), behind a mask.
template <int kRows>
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
  const float* a = g.a + i * g.a_row_stride;
  const float* b = g.b + j;
  for (std::int64_t k = 0; k < g.k; ++k, a += g.a_column_stride, b += g.b_row_stride) {
    const __m256 row = _mm256_maskload_ps(b, mask);
    for (int r = 0; r < kRows; ++r)
      sum[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + r * g.a_row_stride), row, sum[r]);
  }
  for (int r = 0; r < kRows; ++r) _mm256_maskstore_ps(c + r * g.c_row_stride, mask, sum[r]);
}

// kVectors 0 stands for the masked columns.
template <int kRows, int kVectors>
void AnyTile(const GemmArguments& g, std::int64_t i, std::int64_t j) {
  if constexpr (kVectors == 0) {
    MaskedTile<kRows>(g, i, j);
  } else {
    Tile<kRows, kVectors>(g, i, j);
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

// One panel of at most 16 columns, all rows.
void Panel(const GemmArguments& g, std::int64_t panel) {
  std::int64_t j = panel * kTileColumns;
  const std::int64_t end = std::min(g.n, j + kTileColumns);
  if (end - j == kTileColumns) return ColumnTiles<2>(g, j);
  if (end - j >= 8) {
    ColumnTiles<1>(g, j);
    j += 8;
  }
  if (j < end) ColumnTiles<0>(g, j);
}

// Eight rows of eight floats, exchanged in registers.
void TransposeBlock(const float* from, std::int64_t from_stride, float* to,
                    std::int64_t to_stride) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * from_stride);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int half = 0; half < 2; ++half) {
      r[i + 2 * half] = _mm256_shuffle_ps(t[i + half], t[i + 2 + half], _MM_SHUFFLE(1, 0, 1, 0));
      r[i + 2 * half + 1] =
          _mm256_shuffle_ps(t[i + half], t[i + 2 + half], _MM_SHUFFLE(3, 2, 3, 2));
    }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

}  // namespace

void TransposeHost(std::int64_t rows, std::int64_t columns, const float* from, float* to) {
  const std::int64_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  for (std::int64_t i = 0; i < whole_rows; i += 8)
    for (std::int64_t j = 0; j < whole_columns; j += 8)
      TransposeBlock(from + i * columns + j, columns, to + j * rows + i, rows);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * rows + i] = from[i * columns + j];
}

void GemmHost(const HostExec&, const GemmArguments& g) {
  const std::int64_t panels = (g.n + kTileColumns - 1) / kTileColumns;
  const std::int64_t work = std::max<std::int64_t>(1, g.m * g.k * kTileColumns);
  const HostExec by_panel{.grain = std::max<std::int64_t>(1, kMultiplyAddsPerTask / work)};
  OverRange(by_panel, panels, [&g](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel) Panel(g, panel);
  });
}

}  // namespace weft::gpu::internal
