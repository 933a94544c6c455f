// A graph of test operators with what it needs to run, for the engine's tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "graph/trace.h"
#include "tests/harness/graph_run.h"
#include "tests/harness/test_operators.h"

namespace weft::tests {

// in -> test_fold "fold" -> out.
inline constexpr std::string_view kOneNode = R"(
input { name: "in" type: "EventBatch" }
node { name: "fold" operator: "test_fold" input: "EVENTS:in" output: "EVENTS:folded" }
output { name: "out" stream: "folded" }
)";

// Members are public: a test looks at all of it.
struct GraphFixture {
  // Serial for 0 threads. Fails the process on an invalid spec.
  explicit GraphFixture(std::string_view spec, int thread_count = 0,
                        const graph::Catalog& catalog = TestCatalog(),
                        graph::TraceRecorder* trace = nullptr)
      : executor(thread_count == 0 ? std::make_unique<graph::SerialExecutor>(1)
                                   : graph::MakeExecutor(thread_count)) {
    auto parsed = graph::ParsedSpec::Parse(spec, "test.pbtxt", catalog);
    WEFT_CHECK_OK(parsed.status());
    auto built = graph::Graph::Build(*parsed, {&catalog, executor.get(), &clock, &metrics, trace});
    WEFT_CHECK_OK(built.status());
    graph = *std::move(built);
  }

  // Rows `first` to first + count of the feed, at their offset as time.
  static graph::Packet Events(std::uint64_t first, std::int64_t count, std::uint32_t feed = 1) {
    return graph::Packet::Make<graph::EventBatch>(
        std::make_shared<const graph::EventBatch>(
            RandomEvents(first, count, 20, static_cast<graph::TimeUs>(first))),
        {0, feed, first}, static_cast<graph::TimeUs>(first));
  }

  graph::SystemClock clock;
  graph::MetricRegistry metrics;
  std::unique_ptr<graph::Executor> executor;
  std::unique_ptr<graph::Graph> graph;
};

}  // namespace weft::tests
