#include "gpu/memory.h"

#include <cstdio>
#include <cstdlib>
#include <new>

#if defined(WEFT_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace weft::gpu {
namespace {

constexpr std::align_val_t kAlignment{64};

#if defined(WEFT_CUDA)
void EndUnlessOk(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::abort();
}
#endif

}  // namespace

#if defined(WEFT_CUDA)

Memory MemoryOf(const Exec& exec) {
  return std::holds_alternative<CudaExec>(exec) ? Memory::kShared : Memory::kHost;
}

void* AllocateBytes(std::size_t bytes, Memory memory) {
  if (memory == Memory::kHost) return ::operator new(bytes, kAlignment);
  void* pointer = nullptr;
  EndUnlessOk(cudaMallocManaged(&pointer, bytes == 0 ? 1 : bytes), "cannot allocate shared memory");
  return pointer;
}

void FreeBytes(void* pointer, Memory memory) {
  if (memory == Memory::kHost) return ::operator delete(pointer, kAlignment);
  EndUnlessOk(cudaFree(pointer), "cannot free shared memory");
}

void Synchronize(const Exec& exec) {
  if (const auto* cuda = std::get_if<CudaExec>(&exec))
    EndUnlessOk(cudaStreamSynchronize(cuda->stream), "a kernel failed");
}

#else

Memory MemoryOf(const Exec&) { return Memory::kHost; }
void* AllocateBytes(std::size_t bytes, Memory) { return ::operator new(bytes, kAlignment); }
void FreeBytes(void* pointer, Memory) { ::operator delete(pointer, kAlignment); }
void Synchronize(const Exec&) {}

#endif

}  // namespace weft::gpu
