// Commands: carried out by one operator at one place of the log, whatever the schedule.
#include "graph/command.h"
#include "graph/text.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_fixture.h"
#include "tests/harness/memory_checkpoints.h"

namespace weft::tests {
namespace {

using graph::LogPosition;
using graph::Packet;
using testing::ElementsAre;

// Both inputs meet at `join`, at different depths.
constexpr std::string_view kMeeting = R"(
name: "meeting"
stream_capacity: 2
input { name: "a" type: "EventBatch" }
input { name: "b" type: "EventBatch" }
node { name: "slow" operator: "test_jitter" input: "EVENTS:a" output: "EVENTS:fa"
  options { [type.url/weft.tests.v1.TestOptions] { amount: 1000 micro_batch: 4 } } }
node { name: "join" operator: "test_join" input: "LEFT:fa" input: "RIGHT:b" output: "EVENTS:j" }
node { name: "behind" operator: "test_fold" input: "EVENTS:j" output: "EVENTS:k" }
output { name: "out" stream: "k" }
)";

constexpr std::uint64_t kPackets = 40;
constexpr std::uint64_t kRows = 6;
constexpr std::uint64_t kEntries = kRows + 1;  // of a packet and of what follows it

LogPosition PositionOf(std::uint32_t feed, std::uint64_t packet) {
  return {0, feed, packet * kEntries};
}

// Packets [begin, end) of a feed, each followed by a command for `node` or, without one, by a mark
// of the time.
void PushFeed(graph::Graph& graph, const char* input, std::uint32_t feed, const std::string& node,
              std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; ++i) {
    const auto time_us = static_cast<graph::TimeUs>(10 * i);
    LogPosition position = PositionOf(feed, i);
    const Packet packet = Packet::Make<graph::EventBatch>(
        std::make_shared<const graph::EventBatch>(RandomEvents(i * 2 + feed, kRows, 20, time_us)),
        position, time_us);
    ASSERT_EQ(graph.Push(input, packet), absl::OkStatus());
    position.offset += kRows;
    const absl::Status status =
        node.empty() ? graph.AdvanceTime(input, position, time_us)
                     : graph.SendCommand(input, position, time_us, {node, graph::Concat(i)});
    ASSERT_EQ(status, absl::OkStatus());
  }
}

void PushBoth(graph::Graph& graph, const std::string& node, std::uint64_t begin,
              std::uint64_t end) {
  const std::jthread a([&] { PushFeed(graph, "a", 1, node, begin, end); });
  const std::jthread b([&] { PushFeed(graph, "b", 2, "", begin, end); });
}

void EndBoth(graph::Graph& graph) {
  const auto end = [&graph](const char* input, std::uint32_t feed) {
    ASSERT_TRUE(graph.AdvanceTime(input, PositionOf(feed, kPackets), graph::kAfterAllTime).ok());
  };
  end("a", 1);
  end("b", 2);
  ASSERT_TRUE(graph.Drain().ok());
}

graph::CheckpointManifest HashAfter(const std::string& node, int thread_count) {
  GraphFixture fixture(kMeeting, thread_count);
  WEFT_CHECK_OK(fixture.graph->Start());
  PushBoth(*fixture.graph, node, 0, kPackets);
  EndBoth(*fixture.graph);
  return *fixture.graph->StateHash();
}

TEST(CommandThreads, HasOnePlaceAmongTheEventsOfAllInputs) {
  const graph::CheckpointManifest one = HashAfter("join", 1);
  const graph::CheckpointManifest none = HashAfter("", 1);
  for (const int threads : {2, 4, 4})
    EXPECT_EQ(HashAfter("join", threads).state_hash, one.state_hash);
  EXPECT_EQ(one.operators[0].hash, none.operators[0].hash);
  EXPECT_NE(one.operators[1].hash, none.operators[1].hash);
}

TEST(CommandThreads, OneForNobodyDoesNothing) {
  EXPECT_EQ(HashAfter("nobody", 2).state_hash, HashAfter("", 2).state_hash);
}

TEST(CommandThreads, CheckpointsBetweenCommandsLeadToTheSameEnd) {
  constexpr std::uint64_t kHalf = kPackets / 2;
  MemoryCheckpoints store;
  GraphFixture first(kMeeting, 4);
  ASSERT_TRUE(first.graph->Start().ok());
  PushBoth(*first.graph, "behind", 0, kHalf);
  // What waits for the other input's time is not in it, but will come again.
  const auto manifest = first.graph->Checkpoint(store);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  PushBoth(*first.graph, "behind", kHalf, kPackets);
  EndBoth(*first.graph);
  const std::uint64_t expected = first.graph->StateHash()->state_hash;

  GraphFixture second(kMeeting, 2);
  ASSERT_EQ(second.graph->Restore(**store.Open(manifest->id)), absl::OkStatus());
  ASSERT_TRUE(second.graph->Start().ok());
  const auto rest = [&](const char* input, std::uint32_t feed, const std::string& node) {
    const std::uint64_t applied = manifest->applied[feed - 1].offset;
    const std::uint64_t packet = applied / kEntries;
    const auto time_us = static_cast<graph::TimeUs>(10 * packet);
    if (applied % kEntries == kRows) {  // only what follows the packet is left
      ASSERT_TRUE((node.empty() ? second.graph->AdvanceTime(input, {0, feed, applied}, time_us)
                                : second.graph->SendCommand(input, {0, feed, applied}, time_us,
                                                            {node, graph::Concat(packet)}))
                      .ok());
    }
    PushFeed(*second.graph, input, feed, node, (applied + kEntries - 1) / kEntries, kPackets);
  };
  {
    const std::jthread a([&] { rest("a", 1, "behind"); });
    const std::jthread b([&] { rest("b", 2, ""); });
  }
  EndBoth(*second.graph);
  EXPECT_EQ(second.graph->StateHash()->state_hash, expected);
}

TEST(Command, IsAnEntryThatIsAppliedInOrder) {
  GraphFixture fixture(kOneNode);
  std::vector<std::uint64_t> applied;
  ASSERT_TRUE(
      fixture.graph
          ->OnApplied("in", [&](LogPosition position) { applied.push_back(position.offset); })
          .ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(0, 5)).ok());
  ASSERT_TRUE(fixture.graph->SendCommand("in", {0, 1, 5}, 0, {"fold", "x"}).ok());
  ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(6, 5)).ok());
  ASSERT_TRUE(fixture.graph->SendCommand("in", {0, 1, 11}, 6, {"fold", "y"}).ok());
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_THAT(applied, ElementsAre(5, 6, 11, 12));
  std::uint64_t read = 0;
  ASSERT_TRUE(
      fixture.graph
          ->Read("fold", 1000, [&](const auto&, LogPosition position) { read = position.offset; })
          .ok());
  EXPECT_EQ(read, 12u);
}

TEST(Command, SurvivesTheLog) {
  const graph::Command command{"weft", std::string("a\0b", 3)};
  const auto decoded = graph::DecodeCommand(graph::EncodeCommand(command));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->node, command.node);
  EXPECT_EQ(decoded->body, command.body);
  EXPECT_EQ(graph::DecodeCommand("\xff\xff").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(graph::DecodeCommand("").status().code(), absl::StatusCode::kDataLoss);
}

TEST(Command, TheInputOfANodeIsUpstreamOfIt) {
  const auto spec = graph::ParsedSpec::Parse(kMeeting, "test.pbtxt", TestCatalog());
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->InputBefore(0), 0);
  EXPECT_EQ(spec->InputBefore(2), 0);
}

}  // namespace
}  // namespace weft::tests
