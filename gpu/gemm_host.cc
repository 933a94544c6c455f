// Gemm and Transpose on the host: hands out panels of columns; the tiles are in gemm_avx2.cc and
// gemm_avx512.cc.
#include <algorithm>

#include <immintrin.h>

#include "gpu/gemm.h"
#include "gpu/gemm_panels.h"
#include "gpu/launch.h"

namespace weft::gpu::internal {
namespace {

// A task of less work than this costs more to hand out than to do.
constexpr std::int64_t kMultiplyAddsPerTask = 2'000'000;

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

// The same for rows [first, last) alone.
GemmArguments RowsOf(const GemmArguments& g, std::int64_t first, std::int64_t last) {
  GemmArguments rows = g;
  rows.m = last - first;
  rows.c += first * g.c_row_stride;
  if (g.a_row != nullptr)
    rows.a_row += first;
  else
    rows.a += first * g.a_row_stride;
  return rows;
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

void GemmHost(const HostExec& exec, const GemmArguments& g) {
  const bool wide = exec.vectors == HostVectors::kAvx512;
  const std::int64_t columns = wide ? kAvx512PanelColumns : kAvx2PanelColumns;
  const auto panel = wide ? GemmPanelAvx512 : GemmPanelAvx2;
  const std::int64_t panels = (g.n + columns - 1) / columns;
  // Tasks are panels, and blocks of their rows where these are long.
  const std::int64_t row_work = std::max<std::int64_t>(1, g.k * columns);
  const std::int64_t block_rows = (kMultiplyAddsPerTask / row_work + 8) / 8 * 8;
  const std::int64_t blocks = std::max<std::int64_t>(1, g.m / block_rows);
  const std::int64_t work = std::max<std::int64_t>(1, g.m / blocks * row_work);
  const HostExec by_task{.grain = std::max<std::int64_t>(1, kMultiplyAddsPerTask / work)};
  OverRange(by_task, panels * blocks, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t block = task / panels;
      const std::int64_t first = block * block_rows;
      const std::int64_t last = block + 1 == blocks ? g.m : first + block_rows;
      const std::int64_t j = task % panels * columns;
      panel(RowsOf(g, first, last), j, std::min(g.n - j, columns));
    }
  });
}

}  // namespace weft::gpu::internal
