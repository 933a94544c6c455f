// Bounds under pressure, reads, failure and ending, with real threads.
#include <atomic>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_fixture.h"
#include "tests/harness/memory_checkpoints.h"

namespace weft::tests {
namespace {

using graph::LogPosition;
using graph::Operator;
using graph::Packet;
using testing::HasSubstr;

constexpr std::int64_t kLongUs = 60'000'000;

constexpr std::string_view kSmall = R"(
stream_capacity: 2
input { name: "in" type: "EventBatch" }
node { name: "one" operator: "test_fold" input: "EVENTS:in" output: "EVENTS:a" }
node { name: "two" operator: "test_fold" input: "EVENTS:a" output: "EVENTS:b" }
output { name: "out" stream: "b" }
)";

// Holds a node in a read until it is released.
class HeldNode {
 public:
  HeldNode(graph::Graph& graph, std::string_view node)
      : done_(std::async(std::launch::async, [this, &graph, node = std::string(node)] {
          return graph.Read(node, kLongUs, [this](const Operator&, LogPosition) {
            held_.count_down();
            release_.wait();
          });
        })) {
    held_.wait();
  }
  ~HeldNode() { Release(); }
  void Release() {
    if (!done_.valid()) return;
    release_.count_down();
    EXPECT_TRUE(done_.get().ok());
  }

 private:
  std::latch held_{1};
  std::latch release_{1};
  std::future<absl::Status> done_;
};

TEST(BackpressureThreads, AFullStreamHoldsPushBackAndNothingElse) {
  GraphFixture fixture(kSmall, 2);
  ASSERT_TRUE(fixture.graph->Start().ok());
  std::atomic<int> pushed = 0;
  std::atomic<int> arrived = 0;
  ASSERT_TRUE(fixture.graph->OnOutput("out", [&](const Packet&) { ++arrived; }).ok());
  constexpr int kPackets = 100;
  std::future<void> pusher;
  {
    HeldNode held(*fixture.graph, "two");
    pusher = std::async(std::launch::async, [&] {
      for (std::uint64_t i = 0; i < kPackets; ++i) {
        ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(8 * i, 8)).ok());
        ++pushed;
      }
    });
    // Two in each of three queues, one in the hands of each node, one in a Push that has not
    // returned.
    constexpr int kBound = 2 * 3 + 2;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    while (pushed.load() < kBound && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    EXPECT_LE(pushed.load(), kBound);
    EXPECT_EQ(arrived.load(), 0);
    // Another node can still be read.
    EXPECT_TRUE(fixture.graph->Read("one", kLongUs, [](const Operator&, LogPosition) {}).ok());
  }
  pusher.get();
  ASSERT_TRUE(fixture.graph->Drain().ok());
  EXPECT_EQ(arrived.load(), kPackets);
}

TEST(ReadThreads, SeesThePositionBetweenMicroBatches) {
  GraphFixture fixture(kSmall, 2);
  ASSERT_TRUE(fixture.graph->Start().ok());
  std::jthread pusher([&] {
    for (std::uint64_t i = 0; i < 300; ++i) {
      ASSERT_TRUE(fixture.graph->Push("in", GraphFixture::Events(20 * i, 20)).ok());
    }
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(fixture.graph
                    ->Read("two", kLongUs,
                           [](const Operator& op, LogPosition position) {
                             // Packets of 20 rows in micro-batches of 8, 8 and 4.
                             const std::uint64_t rest = position.offset % 20;
                             EXPECT_TRUE(rest == 0 || rest == 8 || rest == 16) << rest;
                             EXPECT_EQ(static_cast<const HashingOperator&>(op).rows(),
                                       static_cast<std::int64_t>(position.offset));
                           })
                    .ok());
  }
}

TEST(ReadThreads, GivesUpAtTheDeadline) {
  GraphFixture fixture(kSmall, 2);
  ASSERT_TRUE(fixture.graph->Start().ok());
  const HeldNode held(*fixture.graph, "two");
  std::atomic<bool> ran = false;
  const absl::Status status =
      fixture.graph->Read("two", 1000, [&](const Operator&, LogPosition) { ran = true; });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "node \"two\": no read slot within 1000 us");
  EXPECT_FALSE(ran.load());
}

TEST(ReadThreads, QueuesSixtyFour) {
  GraphFixture fixture(kSmall, 2);
  ASSERT_TRUE(fixture.graph->Start().ok());
  std::atomic<int> ok = 0;
  std::atomic<int> exhausted = 0;
  {
    HeldNode held(*fixture.graph, "two");
    std::vector<std::jthread> readers;
    for (int i = 0; i < 70; ++i) {
      readers.emplace_back([&] {
        const absl::Status status =
            fixture.graph->Read("two", kLongUs, [](const Operator&, LogPosition) {});
        if (status.ok()) ++ok;
        if (status.code() == absl::StatusCode::kResourceExhausted) ++exhausted;
      });
    }
    while (exhausted.load() < 6) std::this_thread::yield();
    held.Release();
  }
  EXPECT_EQ(ok.load(), 64);
  EXPECT_EQ(exhausted.load(), 6);
}

TEST(IdleThreads, TimesAndPacketsMayArriveWhileOthersAreReported) {
  GraphFixture fixture(kSmall, 2);
  std::vector<std::uint64_t> applied;
  ASSERT_TRUE(
      fixture.graph->OnApplied("in", [&](LogPosition p) { applied.push_back(p.offset); }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  constexpr std::uint64_t kSteps = 20'000;
  for (std::uint64_t i = 0; i < kSteps; ++i) {
    const absl::Status status =
        i % 5 == 0 ? fixture.graph->Push("in", GraphFixture::Events(i, 1))
                   : fixture.graph->AdvanceTime("in", {0, 1, i}, static_cast<graph::TimeUs>(i));
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_TRUE(fixture.graph->Drain().ok());
  ASSERT_EQ(applied.size(), kSteps);
  for (std::uint64_t i = 0; i < kSteps; ++i) ASSERT_EQ(applied[i], i + 1);
}

constexpr std::string_view kFailing = R"(
stream_capacity: 1
input { name: "in" type: "EventBatch" }
node { name: "first" operator: "test_fold" input: "EVENTS:in" output: "EVENTS:a" }
node { name: "broken" operator: "test_fail" input: "EVENTS:a" output: "EVENTS:b"
  options { [type.url/weft.tests.v1.TestOptions] { amount: 100 } } }
node { name: "last" operator: "test_fold" input: "EVENTS:b" output: "EVENTS:c" }
output { name: "out" stream: "c" }
)";

TEST(FailureThreads, NamesTheNodeToEveryCaller) {
  GraphFixture fixture(kFailing, 4);
  std::atomic<std::uint64_t> applied = 0;
  ASSERT_TRUE(fixture.graph->OnApplied("in", [&](LogPosition p) { applied = p.offset; }).ok());
  ASSERT_TRUE(fixture.graph->Start().ok());
  absl::Status status;
  for (std::uint64_t i = 0; status.ok(); ++i) {
    status = fixture.graph->Push("in", GraphFixture::Events(10 * i, 10));
  }
  const absl::Status expected = absl::InternalError("node \"broken\": told to fail at 100");
  EXPECT_EQ(status, expected);
  EXPECT_EQ(fixture.graph->Drain(), expected);
  EXPECT_EQ(fixture.graph->Read("first", kLongUs, [](const Operator&, LogPosition) {}), expected);
  MemoryCheckpoints store;
  EXPECT_EQ(fixture.graph->Checkpoint(store).status(), expected);
  EXPECT_EQ(fixture.graph->StateHash().status(), expected);
  EXPECT_TRUE(store.List()->empty());
  EXPECT_LE(applied.load(), 100u);
  EXPECT_EQ(fixture.graph->Close(), expected);
}

TEST(FailureThreads, WakesThoseWhoWait) {
  for (int round = 0; round < 20; ++round) {
    GraphFixture fixture(kFailing, 4);
    ASSERT_TRUE(fixture.graph->Start().ok());
    MemoryCheckpoints store;
    std::vector<std::jthread> callers;
    callers.emplace_back([&] {
      for (std::uint64_t i = 0; i < 1000; ++i) {
        if (!fixture.graph->Push("in", GraphFixture::Events(10 * i, 10)).ok()) return;
      }
      ADD_FAILURE() << "the graph did not fail";
    });
    callers.emplace_back([&] {
      while (fixture.graph->Checkpoint(store).ok()) {
      }
    });
    callers.emplace_back([&] {
      while (fixture.graph->Read("last", kLongUs, [](const Operator&, LogPosition) {}).ok()) {
      }
    });
    callers.emplace_back([&] {
      while (fixture.graph->Drain().ok()) {
      }
    });
  }
}

TEST(CloseThreads, EndsUnderLoadWithoutLosingWhatWasPushed) {
  for (int round = 0; round < 20; ++round) {
    GraphFixture fixture(kSmall, 4);
    std::atomic<std::int64_t> rows = 0;
    ASSERT_TRUE(
        fixture.graph->OnOutput("out", [&](const Packet& p) { rows += p.row_count(); }).ok());
    ASSERT_TRUE(fixture.graph->Start().ok());
    std::atomic<std::int64_t> pushed = 0;
    std::jthread pusher([&] {
      for (std::uint64_t i = 0;; ++i) {
        if (!fixture.graph->Push("in", GraphFixture::Events(5 * i, 5)).ok()) return;
        pushed += 5;
      }
    });
    std::jthread reader([&] {
      while (fixture.graph->Read("one", kLongUs, [](const Operator&, LogPosition) {}).ok()) {
      }
    });
    while (pushed.load() < 50) std::this_thread::yield();
    EXPECT_TRUE(fixture.graph->Close().ok());
    EXPECT_GE(rows.load(), 50);
  }
}

}  // namespace
}  // namespace weft::tests
