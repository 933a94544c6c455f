// Against a plain list of all events.
#include "operators/link/past_targets.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<graph::NodeId> ToVector(std::span<const graph::NodeId> nodes) {
  return {nodes.begin(), nodes.end()};
}

TEST(PastTargets, KeepsTheLatestDistinctOnesAndTheirTime) {
  PastTargets past(8);
  EXPECT_THAT(past.Of(1).before, IsEmpty());
  past.Add(1, 10, 5);
  past.Add(1, 11, 6);
  past.Add(1, 10, 7);
  past.Add(1, 12, 7);
  past.Add(2, 13, 7);
  EXPECT_EQ(past.Of(1).latest_us, 7);
  EXPECT_THAT(past.Of(1).at_latest, ElementsAre(12u, 10u));
  EXPECT_THAT(past.Of(1).before, ElementsAre(11u));
  past.Add(1, 11, 7);
  EXPECT_THAT(past.Of(1).at_latest, ElementsAre(11u, 12u, 10u));
  past.Add(1, 10, 7);
  EXPECT_THAT(past.Of(1).at_latest, ElementsAre(10u, 11u, 12u));
  EXPECT_THAT(past.Of(1).before, IsEmpty());
}

TEST(PastTargets, ALateEventStaysBehindTheLatestTime) {
  PastTargets past(8);
  past.Add(1, 10, 5);
  past.Add(1, 11, 9);
  past.Add(1, 12, 7);
  past.Add(1, 11, 7);
  EXPECT_THAT(past.Of(1).at_latest, ElementsAre(11u));
  EXPECT_THAT(past.Of(1).before, ElementsAre(12u, 10u));
}

TEST(PastTargets, IsTheEndOfAPlainList) {
  constexpr std::size_t kTargets = PastTargets::kTargets;
  PastTargets past(8);
  std::vector<graph::NodeId> plain;  // the latest first
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto target = static_cast<graph::NodeId>(gpu::CounterHash(1, i, 0) % 90);
    past.Add(3, target, static_cast<graph::TimeUs>(i));
    std::erase(plain, target);
    plain.insert(plain.begin(), target);
    plain.resize(std::min(plain.size(), kTargets));
    std::vector<graph::NodeId> all = ToVector(past.Of(3).at_latest);
    ASSERT_EQ(all.size(), 1u);
    for (const graph::NodeId one : past.Of(3).before) all.push_back(one);
    ASSERT_EQ(all, plain) << i;
  }
}

TEST(PastTargets, HoldsMoreOfOneTimeThanItHasRoomFor) {
  PastTargets past(8);
  for (graph::NodeId target = 0; target < 120; ++target) past.Add(3, target, 1);
  EXPECT_EQ(past.Of(3).at_latest.size(), PastTargets::kTargets);
  EXPECT_EQ(past.Of(3).at_latest.front(), 119u);
  past.Add(3, 200, 0);  // late, and no room
  EXPECT_EQ(past.Of(3).at_latest.size(), PastTargets::kTargets);
  EXPECT_THAT(past.Of(3).before, IsEmpty());
}

TEST(PastTargets, ForgetsTheSourceThatWasSilentLongest) {
  PastTargets past(2);
  past.Add(1, 10, 1);
  past.Add(2, 11, 2);
  past.Add(1, 12, 3);
  past.Add(3, 13, 4);
  EXPECT_THAT(past.Of(2).before, IsEmpty());
  EXPECT_THAT(past.Of(2).at_latest, IsEmpty());
  EXPECT_THAT(past.Of(3).at_latest, ElementsAre(13u));
  EXPECT_THAT(past.Of(1).before, ElementsAre(10u));
}

TEST(PastTargets, IsSavedAndLoaded) {
  PastTargets past(8);
  for (std::uint64_t i = 0; i < 300; ++i) {
    past.Add(static_cast<graph::NodeId>(i % 5), static_cast<graph::NodeId>(i * i % 83),
             static_cast<graph::TimeUs>(i / 9));
  }
  MemoryCheckpoint sink;
  ASSERT_TRUE(past.Save("past", sink).ok());
  PastTargets loaded(8);
  MemoryCheckpointReader source(sink);
  ASSERT_TRUE(loaded.Load("past", source).ok());
  for (graph::NodeId node = 0; node < 6; ++node) {
    EXPECT_EQ(ToVector(loaded.Of(node).before), ToVector(past.Of(node).before));
    EXPECT_EQ(ToVector(loaded.Of(node).at_latest), ToVector(past.Of(node).at_latest));
    EXPECT_EQ(loaded.Of(node).latest_us, past.Of(node).latest_us);
  }
  PastTargets smaller(4);
  MemoryCheckpointReader again(sink);
  EXPECT_EQ(smaller.Load("past", again).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace weft::operators::link
