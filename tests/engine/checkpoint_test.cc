// Barriers and checkpoints: aligned under load, verified when restored, harmless when they fail.
#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_fixture.h"
#include "tests/harness/memory_checkpoints.h"

namespace weft::tests {
namespace {

using graph::CheckpointManifest;
using graph::LogPosition;
using graph::Packet;
using testing::HasSubstr;

constexpr std::string_view kDiamond = R"(
name: "diamond"
stream_capacity: 3
input { name: "a" type: "EventBatch" }
input { name: "b" type: "EventBatch" }
node { name: "fold" operator: "test_fold" input: "EVENTS:a" output: "EVENTS:fa" }
node { name: "slow" operator: "test_jitter" input: "EVENTS:b" output: "EVENTS:fb"
  options { [type.url/weft.tests.v1.TestOptions] { amount: 2000 micro_batch: 3 } } }
node { name: "join" operator: "test_join" input: "LEFT:fa" input: "RIGHT:fb" output: "EVENTS:j" }
node { name: "join2" operator: "test_join" input: "LEFT:j" input: "RIGHT:a" output: "EVENTS:k" }
output { name: "out" stream: "k" }
)";

// Packet i of a feed: 6 rows at time 10 i.
Packet FeedPacket(std::uint32_t feed, std::uint64_t i) {
  return Packet::Make<graph::EventBatch>(
      std::make_shared<const graph::EventBatch>(
          RandomEvents(i * 2 + feed, 6, 20, static_cast<graph::TimeUs>(10 * i))),
      {0, feed, 6 * i}, static_cast<graph::TimeUs>(10 * i));
}

// Pushes packets [first_a, count) and [first_b, count) from two threads; then ends both feeds.
void PushBoth(graph::Graph& graph, std::uint64_t first_a, std::uint64_t first_b,
              std::uint64_t count) {
  const auto push = [&graph, count](const char* input, std::uint32_t feed, std::uint64_t first) {
    for (std::uint64_t i = first; i < count; ++i) {
      ASSERT_TRUE(graph.Push(input, FeedPacket(feed, i)).ok());
    }
    ASSERT_TRUE(graph.AdvanceTime(input, {0, feed, 6 * count}, graph::kAfterAllTime).ok());
  };
  const std::jthread a([&] { push("a", 1, first_a); });
  const std::jthread b([&] { push("b", 2, first_b); });
}

TEST(CheckpointThreads, EveryCheckpointUnderLoadLeadsToTheSameEnd) {
  constexpr std::uint64_t kCount = 120;
  MemoryCheckpoints store;
  std::uint64_t expected = 0;
  {
    GraphFixture fixture(kDiamond, 4);
    ASSERT_TRUE(fixture.graph->Start().ok());
    std::atomic<bool> done = false;
    std::jthread saver([&] {
      // Once at least, also when all is pushed before this thread gets its first turn.
      do ASSERT_TRUE(fixture.graph->Checkpoint(store).ok());
      while (!done.load());
    });
    PushBoth(*fixture.graph, 0, 0, kCount);
    ASSERT_TRUE(fixture.graph->Drain().ok());
    done = true;
    saver.join();
    expected = fixture.graph->StateHash()->state_hash;
  }
  const std::vector<CheckpointManifest> manifests = *store.List();
  ASSERT_GE(manifests.size(), 1u);
  // Some of them, evenly spread.
  for (std::size_t i = 0; i < manifests.size(); i += manifests.size() / 10 + 1) {
    GraphFixture fixture(kDiamond, 2);
    auto reader = *store.Open(manifests[i].id);
    ASSERT_EQ(fixture.graph->Restore(*reader), absl::OkStatus());
    EXPECT_EQ(fixture.graph->StateHash()->state_hash, manifests[i].state_hash);
    ASSERT_TRUE(fixture.graph->Start().ok());
    const std::uint64_t a = manifests[i].applied[0].offset;
    const std::uint64_t b = manifests[i].applied[1].offset;
    if (a > 6 * kCount || b > 6 * kCount) continue;  // it contains the end of a feed
    PushBoth(*fixture.graph, a / 6, b / 6, kCount);
    ASSERT_TRUE(fixture.graph->Drain().ok());
    EXPECT_EQ(fixture.graph->StateHash()->state_hash, expected);
  }
}

// A checkpoint of kOneNode after 20 rows.
CheckpointManifest SaveOneNode(MemoryCheckpoints& store) {
  GraphFixture fixture(kOneNode);
  WEFT_CHECK_OK(fixture.graph->Start());
  WEFT_CHECK_OK(fixture.graph->Push("in", GraphFixture::Events(0, 20)));
  auto manifest = fixture.graph->Checkpoint(store);
  WEFT_CHECK_OK(manifest.status());
  return *manifest;
}

absl::Status RestoreOneNode(const MemoryCheckpoints& store) {
  GraphFixture fixture(kOneNode);
  const auto reader = store.OpenNewest();
  return fixture.graph->Restore(*reader);
}

TEST(Checkpoint, ManifestSaysWhatItHolds) {
  MemoryCheckpoints store;
  const CheckpointManifest manifest = SaveOneNode(store);
  EXPECT_EQ(manifest.id, 1u);
  ASSERT_EQ(manifest.applied.size(), 1u);
  EXPECT_EQ(manifest.applied[0], (LogPosition{0, 1, 20}));
  ASSERT_EQ(manifest.operators.size(), 1u);
  EXPECT_EQ(manifest.operators[0].name, "fold");
  EXPECT_EQ(manifest.operators[0].operator_name, "test_fold");
  EXPECT_EQ(manifest.operators[0].bytes, 16u);
  EXPECT_NE(manifest.operators[0].hash, 0u);
  EXPECT_EQ(RestoreOneNode(store), absl::OkStatus());
}

TEST(Checkpoint, RestoredGraphContinuesBehindIt) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  GraphFixture fixture(kOneNode);
  const auto reader = store.OpenNewest();
  ASSERT_EQ(fixture.graph->Restore(*reader), absl::OkStatus());
  ASSERT_TRUE(fixture.graph->Start().ok());
  EXPECT_EQ(fixture.graph->Applied("in").offset, 20u);
  std::uint64_t offset = 0;
  ASSERT_TRUE(
      fixture.graph
          ->Read("fold", 1000, [&](const auto&, LogPosition position) { offset = position.offset; })
          .ok());
  EXPECT_EQ(offset, 20u);
  EXPECT_EQ(fixture.graph->Push("in", GraphFixture::Events(10, 5)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(fixture.graph->Push("in", GraphFixture::Events(20, 5)).ok());
}

TEST(Checkpoint, FlippedByteIsDataLoss) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  store.stored(1).operators["fold"][0].second[3] ^= 1;
  const absl::Status status = RestoreOneNode(store);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another hash than the manifest"));
}

TEST(Checkpoint, MissingSectionIsDataLoss) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  store.stored(1).operators["fold"].pop_back();
  EXPECT_EQ(RestoreOneNode(store).code(), absl::StatusCode::kDataLoss);
}

TEST(Checkpoint, AnotherSpecOrVersionIsRefused) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  store.stored(1).manifest.operators[0].state_version = 9;
  EXPECT_EQ(RestoreOneNode(store).message(),
            "node \"fold\": the checkpoint has state version 9, operator test_fold has 1");
  store.stored(1).manifest.spec_digest = "other";
  const absl::Status status = RestoreOneNode(store);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("spec digest other"));
}

TEST(Checkpoint, AnUnusableGraphSaysWhy) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  store.stored(1).manifest.spec_digest = "other";
  GraphFixture fixture(kOneNode);
  const auto reader = store.OpenNewest();
  const absl::Status status = fixture.graph->Restore(*reader);
  EXPECT_EQ(fixture.graph->Push("in", GraphFixture::Events(0, 1)), status);
}

TEST(Checkpoint, AStoreThatFailsHarmsNothing) {
  MemoryCheckpoints store;
  GraphFixture fixture(kDiamond);
  ASSERT_TRUE(fixture.graph->Start().ok());
  for (std::uint64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(fixture.graph->Push("a", FeedPacket(1, i)).ok());
    ASSERT_TRUE(fixture.graph->Push("b", FeedPacket(2, i)).ok());
  }
  store.set_write_status(absl::ResourceExhaustedError("disk full"));
  const absl::Status status = fixture.graph->Checkpoint(store).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("saving: disk full"));
  store.set_write_status(absl::OkStatus());
  ASSERT_TRUE(fixture.graph->Push("a", FeedPacket(1, 5)).ok());
  EXPECT_TRUE(fixture.graph->Checkpoint(store).ok());
}

TEST(Checkpoint, IsRestoredOnlyBeforeStart) {
  MemoryCheckpoints store;
  SaveOneNode(store);
  GraphFixture fixture(kOneNode);
  ASSERT_TRUE(fixture.graph->Start().ok());
  const auto reader = store.OpenNewest();
  EXPECT_EQ(fixture.graph->Restore(*reader).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace weft::tests
