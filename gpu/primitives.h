// Bulk primitives: the same results on the host (oneTBB) and on a device (CUB). Nothing here adds
// floats.
#pragma once

#include <cstdint>

#include "gpu/buffer.h"
#include "gpu/exec.h"

namespace weft::gpu {

// Memory that primitives work in; grows to what the largest call needed. One for each Exec.
struct PrimitivesScratch {
  explicit PrimitivesScratch(const Exec& exec)
      : bytes(0, MemoryOf(exec)), keys(0, MemoryOf(exec)), values(0, MemoryOf(exec)) {}
  Buffer<std::byte> bytes;
  Buffer<std::uint64_t> keys;
  Buffer<std::uint32_t> values;
};

// Sorts `key` upwards and carries `value` along; equal keys keep their order.
void SortByKey(const Exec& exec, std::int64_t count, std::uint64_t* key, std::uint32_t* value,
               PrimitivesScratch& scratch);

// to[i] = from[0] + ... + from[i - 1]; to[count] is the total. `to` has count + 1 places and may
// not overlap `from`.
void RunningSum(const Exec& exec, std::int64_t count, const std::int32_t* from, std::int32_t* to,
                PrimitivesScratch& scratch);

// The runs of equal neighbours in `key`: begin[r] is where run r starts, begin[runs] = count.
// Returns the number of runs, after waiting for the device. `begin` has count + 1 places.
std::int64_t Runs(const Exec& exec, std::int64_t count, const std::uint64_t* key,
                  std::int32_t* begin, PrimitivesScratch& scratch);

// Writes the indices of the `k` highest scores, highest first, the lower index first among equals;
// min(k, count) of them. Scores are not NaN; -0 and 0 are equal.
void TopK(const Exec& exec, std::int64_t count, const float* score, std::int64_t k,
          std::uint32_t* index, PrimitivesScratch& scratch);

template <class E>
void SortByKeyOn(const E& exec, std::int64_t count, std::uint64_t* key, std::uint32_t* value,
                 PrimitivesScratch& scratch);
template <class E>
void RunningSumOn(const E& exec, std::int64_t count, const std::int32_t* from, std::int32_t* to,
                  PrimitivesScratch& scratch);
template <class E>
void MarkRunsOn(const E& exec, std::int64_t count, const std::uint64_t* key, std::int32_t* mark);
template <class E>
void PlaceRunsOn(const E& exec, std::int64_t count, const std::int32_t* before,
                 std::int32_t* begin);
template <class E>
void TopKKeysOn(const E& exec, std::int64_t count, const float* score, std::uint64_t* key,
                std::uint32_t* index);

}  // namespace weft::gpu
