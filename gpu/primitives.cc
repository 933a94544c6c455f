#include "gpu/primitives.h"

#include <algorithm>
#include <cstring>

namespace weft::gpu {

void SortByKey(const Exec& exec, std::int64_t count, std::uint64_t* key, std::uint32_t* value,
               PrimitivesScratch& scratch) {
  std::visit([&](const auto& e) { SortByKeyOn(e, count, key, value, scratch); }, exec);
}

void RunningSum(const Exec& exec, std::int64_t count, const std::int32_t* from, std::int32_t* to,
                PrimitivesScratch& scratch) {
  std::visit([&](const auto& e) { RunningSumOn(e, count, from, to, scratch); }, exec);
}

std::int64_t Runs(const Exec& exec, std::int64_t count, const std::uint64_t* key,
                  std::int32_t* begin, PrimitivesScratch& scratch) {
  if (count == 0) {
    begin[0] = 0;
    return 0;
  }
  Buffer<std::int32_t> mark(count, MemoryOf(exec)), before(count + 1, MemoryOf(exec));
  std::visit([&](const auto& e) { MarkRunsOn(e, count, key, mark.data()); }, exec);
  RunningSum(exec, count, mark.data(), before.data(), scratch);
  std::visit([&](const auto& e) { PlaceRunsOn(e, count, before.data(), begin); }, exec);
  Synchronize(exec);
  return before[count];
}

void TopK(const Exec& exec, std::int64_t count, const float* score, std::int64_t k,
          std::uint32_t* index, PrimitivesScratch& scratch) {
  Buffer<std::uint64_t> key(count, MemoryOf(exec));
  Buffer<std::uint32_t> all(count, MemoryOf(exec));
  std::visit([&](const auto& e) { TopKKeysOn(e, count, score, key.data(), all.data()); }, exec);
  SortByKey(exec, count, key.data(), all.data(), scratch);
  Synchronize(exec);
  std::copy_n(all.data(), std::min(k, count), index);
}

}  // namespace weft::gpu
