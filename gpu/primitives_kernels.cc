// Primitives: bodies that both compilers build, and the two bulk algorithms that each takes from
// its own library.
#include "gpu/launch.h"
#include "gpu/primitives.h"

#if defined(__CUDACC__)
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#else
#include <algorithm>
#include <cstring>
#include <numeric>
#endif

namespace weft::gpu {
namespace {

// mark[i] = 1 where a run starts.
struct MarkRun {
  const std::uint64_t* key;
  std::int32_t* mark;
  WEFT_HD void operator()(std::int64_t i) const {
    mark[i] = i == 0 || key[i] != key[i - 1] ? 1 : 0;
  }
};

// `before` is the running sum of the marks.
struct PlaceRun {
  std::int64_t count;
  const std::int32_t* before;
  std::int32_t* begin;
  WEFT_HD void operator()(std::int64_t i) const {
    if (before[i + 1] != before[i]) begin[before[i]] = static_cast<std::int32_t>(i);
    if (i == count - 1) begin[before[count]] = static_cast<std::int32_t>(count);
  }
};

// Floats as integers that sort downwards: the higher the score, the smaller the key.
struct TopKKey {
  const float* score;
  std::uint64_t* key;
  std::uint32_t* index;
  WEFT_HD void operator()(std::int64_t i) const {
    const float value = score[i] + 0.0f;  // -0 becomes 0
    const std::uint32_t bits = BitsOf(value);
    const std::uint32_t rising = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    key[i] = static_cast<std::uint64_t>(~rising);
    index[i] = static_cast<std::uint32_t>(i);
  }
};

}  // namespace

#if defined(__CUDACC__)

template <class E>
void SortByKeyOn(const E& exec, std::int64_t count, std::uint64_t* key, std::uint32_t* value,
                 PrimitivesScratch& scratch) {
  scratch.keys.Grow(count);
  scratch.values.Grow(count);
  std::size_t bytes = 0;
  cub::DeviceRadixSort::SortPairs(nullptr, bytes, key, scratch.keys.data(), value,
                                  scratch.values.data(), count, 0, 64, exec.stream);
  scratch.bytes.Grow(static_cast<std::int64_t>(bytes));
  cub::DeviceRadixSort::SortPairs(scratch.bytes.data(), bytes, key, scratch.keys.data(), value,
                                  scratch.values.data(), count, 0, 64, exec.stream);
  cudaMemcpyAsync(key, scratch.keys.data(), static_cast<std::size_t>(count) * sizeof(std::uint64_t),
                  cudaMemcpyDefault, exec.stream);
  cudaMemcpyAsync(value, scratch.values.data(),
                  static_cast<std::size_t>(count) * sizeof(std::uint32_t), cudaMemcpyDefault,
                  exec.stream);
}

template <class E>
void RunningSumOn(const E& exec, std::int64_t count, const std::int32_t* from, std::int32_t* to,
                  PrimitivesScratch& scratch) {
  cudaMemsetAsync(to, 0, sizeof(std::int32_t), exec.stream);
  if (count == 0) return;
  std::size_t bytes = 0;
  cub::DeviceScan::InclusiveSum(nullptr, bytes, from, to + 1, count, exec.stream);
  scratch.bytes.Grow(static_cast<std::int64_t>(bytes));
  cub::DeviceScan::InclusiveSum(scratch.bytes.data(), bytes, from, to + 1, count, exec.stream);
}

#else

// Radix sort, eight bits a pass, least significant first; passes in which all keys agree are left
// out.
template <class E>
void SortByKeyOn(const E&, std::int64_t count, std::uint64_t* key, std::uint32_t* value,
                 PrimitivesScratch& scratch) {
  scratch.keys.Grow(count);
  scratch.values.Grow(count);
  std::uint64_t* from_key = key;
  std::uint32_t* from_value = value;
  std::uint64_t* to_key = scratch.keys.data();
  std::uint32_t* to_value = scratch.values.data();
  for (int shift = 0; shift < 64; shift += 8) {
    std::int64_t begin[256] = {};
    for (std::int64_t i = 0; i < count; ++i) ++begin[(from_key[i] >> shift) & 255];
    if (count == 0 || begin[(from_key[0] >> shift) & 255] == count) continue;
    std::exclusive_scan(begin, begin + 256, begin, std::int64_t{0});
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t place = begin[(from_key[i] >> shift) & 255]++;
      to_key[place] = from_key[i];
      to_value[place] = from_value[i];
    }
    std::swap(from_key, to_key);
    std::swap(from_value, to_value);
  }
  if (from_key == key) return;
  std::copy_n(from_key, count, key);
  std::copy_n(from_value, count, value);
}

template <class E>
void RunningSumOn(const E&, std::int64_t count, const std::int32_t* from, std::int32_t* to,
                  PrimitivesScratch&) {
  to[0] = 0;
  for (std::int64_t i = 0; i < count; ++i) to[i + 1] = to[i] + from[i];
}

#endif

template <class E>
void MarkRunsOn(const E& exec, std::int64_t count, const std::uint64_t* key, std::int32_t* mark) {
  ForEachIndex(exec, count, MarkRun{key, mark});
}

template <class E>
void PlaceRunsOn(const E& exec, std::int64_t count, const std::int32_t* before,
                 std::int32_t* begin) {
  ForEachIndex(exec, count, PlaceRun{count, before, begin});
}

template <class E>
void TopKKeysOn(const E& exec, std::int64_t count, const float* score, std::uint64_t* key,
                std::uint32_t* index) {
  ForEachIndex(exec, count, TopKKey{score, key, index});
}

template void SortByKeyOn(const BuildExec&, std::int64_t, std::uint64_t*, std::uint32_t*,
                          PrimitivesScratch&);
template void RunningSumOn(const BuildExec&, std::int64_t, const std::int32_t*, std::int32_t*,
                           PrimitivesScratch&);
template void MarkRunsOn(const BuildExec&, std::int64_t, const std::uint64_t*, std::int32_t*);
template void PlaceRunsOn(const BuildExec&, std::int64_t, const std::int32_t*, std::int32_t*);
template void TopKKeysOn(const BuildExec&, std::int64_t, const float*, std::uint64_t*,
                         std::uint32_t*);

}  // namespace weft::gpu
