// Gemm: exact dense matrix multiplication. Every output is one chain of fused multiply-adds with k
// ascending,
//   c(i,j) = fma(a(i,k-1), b(k-1,j), ... fma(a(i,0), b(0,j), start(i,j))),
// so that the bits do not depend on the number of threads, the batch size, the CPU or the device.
#pragma once

#include <cstdint>

#include "gpu/exec.h"

namespace weft::gpu {

// c = start + a b with a [m x k], b [k x n], c [m x n]. `a` may have any strides, so a transposed
// matrix is one with its strides exchanged; rows of `b` and `c` are contiguous. With a_row, row i
// of a is number a_row[i] of a larger matrix; with b_row, row k of b is number b_row[k]. start is
// 0, or c itself when `accumulate`, or bias(j). All pointers are borrowed for the call, in memory
// that the Exec can reach; c overlaps neither a nor b.
struct GemmArguments {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  const float* a = nullptr;
  std::int64_t a_row_stride = 0;
  std::int64_t a_column_stride = 1;
  const std::uint32_t* a_row = nullptr;  // [m], or null
  const float* b = nullptr;
  std::int64_t b_row_stride = 0;
  const std::uint32_t* b_row = nullptr;  // [k], or null
  float* c = nullptr;
  std::int64_t c_row_stride = 0;
  const float* bias = nullptr;  // [n], or null
  bool accumulate = false;      // bias is not read then
};

void Gemm(const Exec& exec, const GemmArguments& arguments);

// to[j * rows + i] = from[i * columns + j].
void Transpose(const Exec& exec, std::int64_t rows, std::int64_t columns, const float* from,
               float* to);

// The definition above as a plain body, one output an index: what CUDA runs, and the host's oracle
// in tests.
template <class E>
void GemmOn(const E& exec, const GemmArguments& arguments);
template <class E>
void TransposeOn(const E& exec, std::int64_t rows, std::int64_t columns, const float* from,
                 float* to);

namespace internal {
// The vectorised host paths (gemm_host.cc).
void GemmHost(const HostExec& exec, const GemmArguments& arguments);
void TransposeHost(std::int64_t rows, std::int64_t columns, const float* from, float* to);
}  // namespace internal

}  // namespace weft::gpu
