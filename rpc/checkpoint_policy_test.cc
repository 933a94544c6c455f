#include "rpc/checkpoint_policy.h"

#include <gtest/gtest.h>

namespace weft::rpc {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// A graph that applies 100,000 entries a second.
CheckpointPolicy Measured(double max_replay_seconds) {
  CheckpointPolicy policy(max_replay_seconds, 0);
  policy.Replayed(100'000, 1.0);
  return policy;
}

TEST(CheckpointPolicy, CutsBeforeTheReplayWouldTakeTooLong) {
  const CheckpointPolicy policy = Measured(5.0);
  EXPECT_FALSE(policy.Due(0, 200'000));
  EXPECT_TRUE(policy.Due(0, 400'000));
  EXPECT_DOUBLE_EQ(policy.ReplaySeconds(400'000), 4.0);
}

TEST(CheckpointPolicy, WhatIsDurableButNotAppliedCountsToo) {
  CheckpointPolicy policy = Measured(5.0);
  policy.Cut(0, 0, 300'000);
  EXPECT_FALSE(policy.Due(kSecondNs, 500'000));
  EXPECT_TRUE(policy.Due(kSecondNs, 700'000));
}

TEST(CheckpointPolicy, ALongCutDoesNotPutTheNextOneOffBeyondTheLimit) {
  CheckpointPolicy policy = Measured(5.0);
  policy.Cut(0, 10 * kSecondNs, 0);  // a barrier that waited behind a full graph
  EXPECT_FALSE(policy.Due(kSecondNs, 1'000'000));
  EXPECT_TRUE(policy.Due(2 * kSecondNs, 1'000'000));
}

TEST(CheckpointPolicy, AQuickCutIsFollowedByAShortPause) {
  CheckpointPolicy policy = Measured(5.0);
  policy.Cut(0, kSecondNs / 100, 0);
  EXPECT_FALSE(policy.Due(kSecondNs / 100, 1'000'000));
  EXPECT_TRUE(policy.Due(kSecondNs / 10, 1'000'000));
}

}  // namespace
}  // namespace weft::rpc
