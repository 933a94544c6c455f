#include "gpu/memory.h"

#include <cstdio>
#include <cstdlib>

#include <sys/mman.h>

#if defined(WEFT_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace weft::gpu {
namespace {

constexpr std::size_t kLine = 64;
// Rows are read at random: with pages of 4 KiB nearly every one would miss the TLB as well.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

void* AllocateOnHost(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const pointer = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (pointer == nullptr) {
    std::fprintf(stderr, "cannot allocate %zu bytes of memory\n", bytes);
    std::abort();
  }
  // A wish: without huge pages everything works as well.
  if (alignment == kHugePage) static_cast<void>(madvise(pointer, rounded, MADV_HUGEPAGE));
  return pointer;
}

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
  if (memory == Memory::kHost) return AllocateOnHost(bytes);
  void* pointer = nullptr;
  EndUnlessOk(cudaMallocManaged(&pointer, bytes == 0 ? 1 : bytes), "cannot allocate shared memory");
  return pointer;
}

void FreeBytes(void* pointer, Memory memory) {
  if (memory == Memory::kHost) return std::free(pointer);
  EndUnlessOk(cudaFree(pointer), "cannot free shared memory");
}

void Synchronize(const Exec& exec) {
  if (const auto* cuda = std::get_if<CudaExec>(&exec))
    EndUnlessOk(cudaStreamSynchronize(cuda->stream), "a kernel failed");
}

#else

Memory MemoryOf(const Exec&) { return Memory::kHost; }
void* AllocateBytes(std::size_t bytes, Memory) { return AllocateOnHost(bytes); }
void FreeBytes(void* pointer, Memory) { std::free(pointer); }
void Synchronize(const Exec&) {}

#endif

}  // namespace weft::gpu
