#include "operators/sequence/spatial_pooler.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "cache/test_archive.h"

namespace weft::operators::sequence {
namespace {

SpatialPoolerOptions Small() {
  return {.inputs = 200,
          .columns = 256,
          .active_columns = 10,
          .active_increment = 0.03,
          .inactive_decrement = 0.005};
}

std::vector<std::uint32_t> Copy(std::span<const std::uint32_t> bits) {
  return {bits.begin(), bits.end()};
}

TEST(SpatialPooler, ActivatesAsManyColumnsForAnyInput) {
  SpatialPooler pooler(Small());
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto columns =
        pooler.Step(RandomBits(200, 1 + static_cast<int>(seed % 60), seed).bits, true);
    ASSERT_EQ(columns.size(), 10u);
    ASSERT_TRUE(std::ranges::is_sorted(columns));
  }
  EXPECT_EQ(pooler.Step({}, true).size(), 10u);
}

TEST(SpatialPooler, LikeInputsHaveLikeColumnsAfterLearning) {
  SpatialPooler pooler(Small());
  std::vector<SparseBits> inputs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) inputs.push_back(RandomBits(200, 20, seed));
  const auto kept = [&](double noise) {
    std::int64_t same = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto clean = Copy(pooler.Step(inputs[i].bits, false));
      same += Overlap(clean, pooler.Step(AddNoise(inputs[i], noise, i).bits, false));
    }
    return same;
  };
  const std::int64_t before = kept(0.3);
  for (int round = 0; round < 60; ++round)
    for (const SparseBits& input : inputs) pooler.Step(input.bits, true);
  EXPECT_GT(kept(0.3), before + 10);
  EXPECT_GT(kept(0.3), 65);  // of 100
  std::int64_t mixed = 0;
  for (std::size_t i = 1; i < inputs.size(); ++i)
    mixed += Overlap(Copy(pooler.Step(inputs[i - 1].bits, false)),
                     Copy(pooler.Step(inputs[i].bits, false)));
  EXPECT_LT(mixed, 30);  // of 90
}

TEST(SpatialPooler, GoesOnAfterSaveAndLoad) {
  for (const double boost : {0.0, 2.0}) {
    SpatialPoolerOptions options = Small();
    options.boost_strength = boost;
    SpatialPooler pooler(options), restored(options);
    for (std::uint64_t seed = 0; seed < 120; ++seed)
      pooler.Step(RandomBits(200, 20, seed % 7).bits, true);
    cache::SaveAndLoad(pooler, restored);
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
      const SparseBits input = RandomBits(200, 20, seed % 9);
      ASSERT_EQ(Copy(pooler.Step(input.bits, true)), Copy(restored.Step(input.bits, true)));
    }
  }
}

}  // namespace
}  // namespace weft::operators::sequence
