// A graph's life: pushing, draining, applied positions, reads, checkpoints, failure.
#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "tests/harness/memory_checkpoints.h"
#include "tests/harness/test_operators.h"

namespace weft::tests {
namespace {

TEST(SmokeThreads, PushDrain) {
  auto spec = graph::ParsedSpec::Parse(R"(
input { name: "in" type: "EventBatch" }
node { name: "a" operator: "test_fold" input: "EVENTS:in" output: "EVENTS:x" }
output { name: "out" stream: "x" })",
                                       "t", TestCatalog());
  ASSERT_TRUE(spec.ok()) << spec.status();
  graph::SystemClock clock;
  graph::MetricRegistry metrics;
  for (int k = 0; k < 2; ++k) {
    std::unique_ptr<graph::Executor> ex =
        k ? graph::MakeExecutor(2) : std::make_unique<graph::SerialExecutor>(1);
    graph::Environment env{&TestCatalog(), ex.get(), &clock, &metrics, nullptr, "host"};
    auto g = graph::Graph::Build(*spec, env);
    ASSERT_TRUE(g.ok()) << g.status();
    std::int64_t rows = 0;
    ASSERT_TRUE((*g)->OnOutput("out", [&](const graph::Packet& p) { rows += p.row_count(); }).ok());
    ASSERT_TRUE((*g)->Start().ok());
    std::uint64_t pos = 0;
    for (int i = 0; i < 100; ++i) {
      auto e = std::make_shared<graph::EventBatch>();
      for (int j = 0; j < 20; ++j) {
        e->source.push_back(j);
        e->target.push_back(j);
        e->time_us.push_back(i);
      }
      ASSERT_TRUE(
          (*g)->Push("in", graph::Packet::Make<graph::EventBatch>(std::move(e), {0, 1, pos}, i))
              .ok());
      pos += 20;
    }
    ASSERT_TRUE((*g)->Drain().ok());
    EXPECT_EQ(rows, 2000);
    EXPECT_EQ((*g)->Applied("in").offset, 2000u);
    MemoryCheckpoints store;
    auto m = (*g)->Checkpoint(store);
    ASSERT_TRUE(m.ok()) << m.status();
    auto h = (*g)->StateHash();
    ASSERT_TRUE(h.ok());
    EXPECT_EQ(h->state_hash, m->state_hash);
    bool read = false;
    EXPECT_TRUE(
        (*g)->Read("a", 1000000,
                   [&](const graph::Operator&, graph::LogPosition p) { read = p.offset == 2000; })
            .ok());
    EXPECT_TRUE(read);
    auto g2 = graph::Graph::Build(*spec, env);
    auto r = store.OpenNewest();
    auto st = (*g2)->Restore(*r);
    ASSERT_TRUE(st.ok()) << st;
    auto h2 = (*g2)->StateHash();
    EXPECT_EQ(h->state_hash, h2->state_hash);
    EXPECT_TRUE((*g)->Close().ok());
  }
}

}  // namespace
}  // namespace weft::tests
