// Exec: where a kernel runs. A value, chosen once per graph and passed explicitly.
#pragma once

#include <cstdint>
#include <variant>

struct CUstream_st;  // cudaStream_t, without CUDA's headers

namespace weft::gpu {

// The vector instructions of host kernels. All give the same bits; tests compare them.
enum class HostVectors : std::uint8_t { kAvx2, kAvx512 };
// The widest that this machine has.
HostVectors WidestVectors();

// The calling thread's oneTBB arena. A task is at least `grain` indices of a few nanoseconds each,
// or a 64th as many tiles; smaller launches stay on the calling thread.
struct HostExec {
  std::int64_t grain = 16'384;
  HostVectors vectors = WidestVectors();
};

// A grid on a CUDA stream; launches are asynchronous and ordered on the stream.
struct CudaExec {
  CUstream_st* stream = nullptr;
  int block = 256;  // threads
};

// The same Exec for a launch whose indices are so much work that `grain` of them are worth a task.
inline HostExec WithGrain(const HostExec& exec, std::int64_t grain) {
  return {.grain = exec.grain < grain ? exec.grain : grain, .vectors = exec.vectors};
}
inline CudaExec WithGrain(const CudaExec& exec, std::int64_t) { return exec; }

#if defined(WEFT_CUDA)
using Exec = std::variant<HostExec, CudaExec>;
#else
using Exec = std::variant<HostExec>;
#endif

// The Exec that the current compiler can launch on: g++ -> host, nvcc -> CUDA.
#if defined(__CUDACC__)
using BuildExec = CudaExec;
#else
using BuildExec = HostExec;
#endif

}  // namespace weft::gpu
