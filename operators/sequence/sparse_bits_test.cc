#include "operators/sequence/sparse_bits.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace weft::operators::sequence {
namespace {

TEST(SparseBits, OverlapUnionAndAppend) {
  const SparseBits one{10, {1, 3, 5}}, other{10, {0, 3, 5, 9}};
  EXPECT_EQ(Overlap(one.bits, other.bits), 2);
  EXPECT_EQ(Union(one, other), (SparseBits{10, {0, 1, 3, 5, 9}}));
  SparseBits both = one;
  Append(other, both);
  EXPECT_EQ(both, (SparseBits{20, {1, 3, 5, 10, 13, 15, 19}}));
}

TEST(SparseBits, DrawsWhatTheSeedSays) {
  const SparseBits drawn = RandomBits(2048, 41, 7);
  EXPECT_EQ(drawn.bits.size(), 41u);
  EXPECT_TRUE(std::ranges::is_sorted(drawn.bits));
  EXPECT_EQ(drawn, RandomBits(2048, 41, 7));
  EXPECT_LT(Overlap(drawn.bits, RandomBits(2048, 41, 8).bits), 8);
  const SparseBits some = Subsample(drawn, 10, 3);
  EXPECT_EQ(some.bits.size(), 10u);
  EXPECT_EQ(Overlap(some.bits, drawn.bits), 10);
  EXPECT_EQ(Subsample(drawn, 100, 3), drawn);
  const SparseBits noisy = AddNoise(drawn, 0.25, 3);
  EXPECT_EQ(noisy.bits.size(), 41u);
  EXPECT_EQ(Overlap(noisy.bits, drawn.bits), 31);
  EXPECT_EQ(AddNoise(drawn, 0.0, 3), drawn);
}

}  // namespace
}  // namespace weft::operators::sequence
