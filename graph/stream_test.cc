#include "graph/stream.h"

#include <gtest/gtest.h>

#include "graph/clock.h"

namespace weft::graph {
namespace {

// Counts how often it is run.
class CountingActor final : public Actor {
 public:
  using Actor::Actor;
  int steps = 0;

 private:
  bool Step() override {
    ++steps;
    return false;
  }
};

struct StreamTest : testing::Test {
  StreamItem Item(std::uint64_t sequence, std::uint64_t row = 0) {
    StreamItem item;
    item.key = {sequence, row};
    return item;
  }
  std::uint64_t PopSequence() {
    StreamItem item;
    OrderKey frontier;
    return edge.Pop(item, frontier) ? item.key.sequence : 0;
  }

  SerialExecutor executor{1};
  SystemClock clock;
  RunState state{executor, clock};
  CountingActor producer{state};
  CountingActor consumer{state};
  Gauge depth;
  Edge edge{producer, consumer, 2, true, depth};
};

TEST_F(StreamTest, IsFirstInFirstOutAndBounded) {
  for (std::uint64_t i = 1; i <= 2; ++i) {
    EXPECT_TRUE(edge.HasSpace({i, 0}));
    edge.Push(Item(i), {i, 0});
  }
  EXPECT_EQ(depth.Value(), 2.0);
  EXPECT_FALSE(edge.HasSpace({3, 0}));
  EXPECT_EQ(PopSequence(), 1u);
  executor.RunUntilIdle();
  EXPECT_EQ(producer.steps, 1);  // it wanted space and there is some
  EXPECT_EQ(consumer.steps, 1);  // notified twice before it ran
  EXPECT_TRUE(edge.HasSpace({3, 0}));
  EXPECT_EQ(PopSequence(), 2u);
  EXPECT_EQ(PopSequence(), 0u);
}

TEST_F(StreamTest, TakesMoreOnlyOfTheKeyThatFillsIt) {
  for (std::uint64_t i = 0; i < 9; ++i) {
    EXPECT_TRUE(edge.HasSpace({1, 4}));
    edge.Push(Item(1, 4), {1, 4});
  }
  EXPECT_FALSE(edge.HasSpace({1, 5}));
  for (std::uint64_t i = 0; i < 9; ++i) EXPECT_EQ(PopSequence(), 1u);
}

TEST_F(StreamTest, FrontierRisesAndWakesTheConsumer) {
  edge.SetFrontier({2, 0});
  edge.SetFrontier({1, 0});
  StreamItem item;
  OrderKey frontier;
  EXPECT_FALSE(edge.Pop(item, frontier));
  EXPECT_EQ(frontier, (OrderKey{2, 0}));
  executor.RunUntilIdle();
  EXPECT_EQ(consumer.steps, 1);
}

}  // namespace
}  // namespace weft::graph
