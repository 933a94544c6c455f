// ForEachIndex / ForEachTile: the only two ways a kernel body is launched.
//
//   HostExec -> the calling thread's oneTBB arena (std::jthread when WEFT_HOST_THREADS is defined,
//   for the thread
//               sanitizer, which cannot see into Debian's libtbb)
//   CudaExec -> one grid on a CUDA stream; only in translation units compiled by nvcc
//
// A body is a trivially copyable struct with operator() const. It must not depend on the order in
// which indices run; tests run it on 1, 2 and 8 threads to prove it. On the host a body that is
// straight-line code over arrays is vectorised over its index by the compiler, once for AVX2 and
// once for AVX-512.
#pragma once

#include <cstdint>
#include <type_traits>

#include "gpu/exec.h"
#include "gpu/host_device.h"

#if defined(__CUDACC__)
#include <cooperative_groups.h>
#include <cuda_runtime_api.h>
#elif defined(WEFT_HOST_THREADS)
#include <thread>
#include <vector>
#else
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

// Compiles a function, with everything that it calls, for machines with AVX-512.
#if defined(__clang__)
#define WEFT_AVX512 __attribute__((flatten, target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define WEFT_AVX512 \
  __attribute__((flatten, target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif

namespace weft::gpu {

inline constexpr int kTileWidth = 32;

// ------------------------------------------------------------------------------------------------
// host side

// A 32-lane tile played by one thread. Reductions use the very tree that a warp uses, so that float
// results match CudaTile bit for bit.
struct HostTile {
  static constexpr int kWidth = kTileWidth;

  // Sum of load(k) for k in [0, count).
  template <class Load>
  WEFT_HD float Sum(std::int64_t count, Load load) const {
    float lane[kWidth] = {};
    std::int64_t k = 0;
    for (; k + kWidth <= count; k += kWidth)
      for (int l = 0; l < kWidth; ++l) lane[l] = lane[l] + load(k + l);
    for (int l = 0; k < count; ++k, ++l) lane[l] = lane[l] + load(k);
    return Fold(lane);
  }

  // Sum of load(k) for k in [0, count), of a type of at most 32 bytes whose sums do not depend on
  // their order: integers, or some of them at once.
  template <class T, class Load>
  WEFT_HD T Total(std::int64_t count, Load load) const {
    T total{};
    for (std::int64_t k = 0; k < count; ++k) total = total + load(k);
    return total;
  }

  // Sum of a(k) * b(k), one fused step a term.
  template <class A, class B>
  WEFT_HD float Dot(std::int64_t count, A a, B b) const {
    float lane[kWidth] = {};
    std::int64_t k = 0;
    for (; k + kWidth <= count; k += kWidth)
      for (int l = 0; l < kWidth; ++l) lane[l] = Fma(a(k + l), b(k + l), lane[l]);
    for (int l = 0; k < count; ++k, ++l) lane[l] = Fma(a(k), b(k), lane[l]);
    return Fold(lane);
  }

  template <class Function>
  WEFT_HD void Each(std::int64_t count, Function function) const {
#if !defined(__CUDACC__)
#pragma GCC ivdep
#endif
    for (std::int64_t k = 0; k < count; ++k) function(k);
  }

  template <class Function>
  WEFT_HD void Once(Function function) const {
    function();
  }

 private:
  // The butterfly's lane 0: halves added pairwise, lane l with lane l + step.
  static WEFT_HD float Fold(float* lane) {
    for (int step = kWidth / 2; step > 0; step /= 2)
      for (int l = 0; l < step; ++l) lane[l] = lane[l] + lane[l + step];
    return lane[0];
  }
};

#if !defined(__CUDACC__)

namespace internal {

// Calls run(begin, end) over pieces of [0, n) that together cover it.
template <class Run>
void OverRange(const HostExec& exec, std::int64_t n, Run run) {
  if (n <= exec.grain) {
    run(std::int64_t{0}, n);
    return;
  }
#if defined(WEFT_HOST_THREADS)
  constexpr std::int64_t kThreads = 3;
  std::vector<std::jthread> threads;
  for (std::int64_t t = 0; t < kThreads; ++t)
    threads.emplace_back([=, &run] { run(n * t / kThreads, n * (t + 1) / kThreads); });
#else
  // Isolated: while it waits, this thread must not pick up another operator.
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, n, exec.grain),
                      [&](const auto& range) { run(range.begin(), range.end()); });
  });
#endif
}

template <class Body>
WEFT_HD void RunIndices(const Body& body, std::int64_t begin, std::int64_t end) {
  const Body local = body;  // whose members no store in the loop can touch
#pragma GCC ivdep
  for (std::int64_t i = begin; i < end; ++i) local(i);
}
template <class Body>
WEFT_HD void RunTiles(const Body& body, std::int64_t begin, std::int64_t end) {
  const Body local = body;
  for (std::int64_t i = begin; i < end; ++i) local(HostTile{}, i);
}

template <class Body>
void RunIndicesAvx2(const Body& body, std::int64_t begin, std::int64_t end) {
  RunIndices(body, begin, end);
}
template <class Body>
WEFT_AVX512 void RunIndicesAvx512(const Body& body, std::int64_t begin, std::int64_t end) {
  RunIndices(body, begin, end);
}
template <class Body>
void RunTilesAvx2(const Body& body, std::int64_t begin, std::int64_t end) {
  RunTiles(body, begin, end);
}
template <class Body>
WEFT_AVX512 void RunTilesAvx512(const Body& body, std::int64_t begin, std::int64_t end) {
  RunTiles(body, begin, end);
}

}  // namespace internal

template <class Body>
void ForEachIndex(const HostExec& exec, std::int64_t n, const Body& body) {
  static_assert(std::is_trivially_copyable_v<Body>);
  const auto run = exec.vectors == HostVectors::kAvx512 ? internal::RunIndicesAvx512<Body>
                                                        : internal::RunIndicesAvx2<Body>;
  internal::OverRange(
      exec, n, [&body, run](std::int64_t begin, std::int64_t end) { run(body, begin, end); });
}

template <class Body>
void ForEachTile(const HostExec& exec, std::int64_t n, const Body& body) {
  static_assert(std::is_trivially_copyable_v<Body>);
  const auto run = exec.vectors == HostVectors::kAvx512 ? internal::RunTilesAvx512<Body>
                                                        : internal::RunTilesAvx2<Body>;
  constexpr std::int64_t kIndicesOfATile = 64;
  const std::int64_t grain = exec.grain < kIndicesOfATile ? 1 : exec.grain / kIndicesOfATile;
  internal::OverRange(
      WithGrain(exec, grain), n,
      [&body, run](std::int64_t begin, std::int64_t end) { run(body, begin, end); });
}

#else

// ------------------------------------------------------------------------------------------------
// CUDA side

struct CudaTile {
  static constexpr int kWidth = kTileWidth;
  cooperative_groups::thread_block_tile<kTileWidth> tile;

  template <class Load>
  __device__ float Sum(std::int64_t count, Load load) const {
    float sum = 0.0f;
    for (std::int64_t k = tile.thread_rank(); k < count; k += kWidth) sum = sum + load(k);
    return Fold(sum);
  }

  template <class T, class Load>
  __device__ T Total(std::int64_t count, Load load) const {
    T total{};
    for (std::int64_t k = tile.thread_rank(); k < count; k += kWidth) total = total + load(k);
    for (int step = kWidth / 2; step > 0; step /= 2) total = total + tile.shfl_xor(total, step);
    return total;
  }

  template <class A, class B>
  __device__ float Dot(std::int64_t count, A a, B b) const {
    float sum = 0.0f;
    for (std::int64_t k = tile.thread_rank(); k < count; k += kWidth) sum = Fma(a(k), b(k), sum);
    return Fold(sum);
  }

  template <class Function>
  __device__ void Each(std::int64_t count, Function function) const {
    for (std::int64_t k = tile.thread_rank(); k < count; k += kWidth) function(k);
    tile.sync();
  }

  template <class Function>
  __device__ void Once(Function function) const {
    if (tile.thread_rank() == 0) function();
    tile.sync();
  }

 private:
  __device__ float Fold(float sum) const {
    for (int step = kWidth / 2; step > 0; step /= 2) sum = sum + tile.shfl_xor(sum, step);
    return sum;
  }
};

template <class Body>
__global__ void IndexKernel(std::int64_t n, Body body) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
    body(i);
}

template <class Body>
__global__ void TileKernel(std::int64_t n, Body body) {
  namespace cg = cooperative_groups;
  const CudaTile tile{cg::tiled_partition<kTileWidth>(cg::this_thread_block())};
  const std::int64_t tiles = std::int64_t{gridDim.x} * blockDim.x / kTileWidth;
  const std::int64_t first = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kTileWidth;
  for (std::int64_t i = first; i < n; i += tiles) body(tile, i);
}

inline unsigned GridFor(std::int64_t threads, int block) {
  const std::int64_t blocks = (threads + block - 1) / block;
  return static_cast<unsigned>(blocks < 65535 ? blocks : 65535);
}

template <class Body>
void ForEachIndex(const CudaExec& exec, std::int64_t n, const Body& body) {
  static_assert(std::is_trivially_copyable_v<Body>);
  if (n == 0) return;
  // The formatter does not know the launch syntax.
  // clang-format off
  IndexKernel<<<GridFor(n, exec.block), exec.block, 0, exec.stream>>>(n, body);
  // clang-format on
}

template <class Body>
void ForEachTile(const CudaExec& exec, std::int64_t n, const Body& body) {
  static_assert(std::is_trivially_copyable_v<Body>);
  if (n == 0) return;
  // clang-format off
  TileKernel<<<GridFor(n * kTileWidth, exec.block), exec.block, 0, exec.stream>>>(n, body);
  // clang-format on
}

#endif  // __CUDACC__

}  // namespace weft::gpu
