#include "gpu/primitives.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "gpu/arena.h"
#include "gpu/device.h"

namespace weft::gpu {
namespace {

TEST(Primitives, SortIsStableForEveryCountAndKeyWidth) {
  std::mt19937_64 random(1);
  const Exec exec = HostExec{};
  PrimitivesScratch scratch(exec);
  for (const std::size_t count : {0u, 1u, 2u, 1000u})
    for (const std::uint64_t modulus : {1ull, 5ull, 1ull << 20, ~0ull}) {
      std::vector<std::uint64_t> key(count);
      std::vector<std::uint32_t> value(count);
      for (auto& k : key) k = random() % modulus;
      std::iota(value.begin(), value.end(), 0u);
      std::vector<std::uint32_t> expected = value;
      std::stable_sort(expected.begin(), expected.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return key[a] < key[b]; });
      SortByKey(exec, static_cast<std::int64_t>(count), key.data(), value.data(), scratch);
      EXPECT_EQ(value, expected);
      EXPECT_TRUE(std::is_sorted(key.begin(), key.end()));
    }
}

TEST(Primitives, RunsAndRunningSums) {
  const Exec exec = HostExec{};
  PrimitivesScratch scratch(exec);
  const std::vector<std::uint64_t> key = {3, 3, 3, 7, 8, 8};
  std::vector<std::int32_t> begin(key.size() + 1);
  EXPECT_EQ(Runs(exec, 6, key.data(), begin.data(), scratch), 3);
  EXPECT_EQ((std::vector<std::int32_t>(begin.begin(), begin.begin() + 4)),
            (std::vector<std::int32_t>{0, 3, 4, 6}));
  EXPECT_EQ(Runs(exec, 0, key.data(), begin.data(), scratch), 0);
  const std::vector<std::int32_t> from = {4, 0, 2};
  std::vector<std::int32_t> to(4);
  RunningSum(exec, 3, from.data(), to.data(), scratch);
  EXPECT_EQ(to, (std::vector<std::int32_t>{0, 4, 4, 6}));
}

TEST(Primitives, TopKPutsTheHighestFirstAndTheLowerIndexAmongEquals) {
  const Exec exec = HostExec{};
  PrimitivesScratch scratch(exec);
  const std::vector<float> score = {0.5f, -1.0f, 0.9f, 0.5f, -0.0f, 0.0f, 0.9f};
  std::vector<std::uint32_t> index(7);
  TopK(exec, 7, score.data(), 7, index.data(), scratch);
  EXPECT_EQ(index, (std::vector<std::uint32_t>{2, 6, 0, 3, 4, 5, 1}));
  std::vector<std::uint32_t> two(2);
  TopK(exec, 7, score.data(), 2, two.data(), scratch);
  EXPECT_EQ(two, (std::vector<std::uint32_t>{2, 6}));
}

TEST(Arena, HandsOutWhatItMeasured) {
  Arena arena(Memory::kHost);
  float* a = nullptr;
  std::uint8_t* b = nullptr;
  for (const bool placing : {false, true}) {
    if (placing) arena.Reserve();
    a = arena.Place<float>(3);
    b = arena.Place<std::uint8_t>(5);
  }
  EXPECT_EQ(reinterpret_cast<std::byte*>(b) - reinterpret_cast<std::byte*>(a), 64);
  EXPECT_EQ(arena.used_bytes(), 128);
}

TEST(Device, SaysWhatIsWrongWithAName) {
  std::string error;
  EXPECT_TRUE(OpenExec("host", error).has_value());
  EXPECT_FALSE(OpenExec("gpu", error).has_value());
  EXPECT_EQ(error, "device: expected \"host\" or \"cuda:N\", got \"gpu\"");
}

}  // namespace
}  // namespace weft::gpu
