// Where an array lives. Shared memory can be reached by the host and by CUDA kernels alike (managed
// memory); in a build without CUDA it is host memory.
#pragma once

#include <cstddef>

#include "gpu/exec.h"

namespace weft::gpu {

enum class Memory : unsigned char { kHost, kShared };

// The memory that launches on `exec` can reach.
Memory MemoryOf(const Exec& exec);

// 64-byte aligned. Ends the process when there is none: budgets are checked where they are
// configured.
void* AllocateBytes(std::size_t bytes, Memory memory);
void FreeBytes(void* pointer, Memory memory);

// Waits until everything launched on `exec` has run; the host may read shared memory then.
void Synchronize(const Exec& exec);

}  // namespace weft::gpu
