#include "rpc/feeder.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "graph/catalog.h"
#include "graph/check.h"
#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "graph/operator.h"

namespace weft::rpc {
namespace {

using graph::LogPosition;
using graph::LogRecord;

// Takes two inputs, which are let in by rising time.
class Join final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kLeft{"LEFT"};
  static constexpr graph::In<graph::EventBatch> kRight{"RIGHT"};
  static graph::Contract contract() { return graph::Contract().Input(kLeft).Input(kRight); }
  absl::Status Open(graph::OpenContext&) override { return absl::OkStatus(); }
  absl::Status Process(graph::ProcessContext&) override { return absl::OkStatus(); }
};

constexpr const char* kGraph = R"(
stream_capacity: 1
input { name: "left" type: "EventBatch" }
input { name: "right" type: "EventBatch" }
node { name: "join" operator: "join" input: "LEFT:left" input: "RIGHT:right" }
)";

// Feed 1 is damaged, feed 2 has more records than fit into a stream.
class DamagedLog final : public graph::EventLog {
 public:
  absl::Status Append(std::span<const graph::LogAppend>) override { return absl::OkStatus(); }
  absl::Status Read(LogPosition from,
                    const std::function<absl::Status(const LogRecord&)>& visit) const override {
    if (from.feed == 1) return absl::DataLossError("damaged");
    for (std::uint64_t i = 0; i < 10; ++i) {
      LogRecord record;
      record.position = {0, 2, i};
      record.watermark_us = static_cast<graph::TimeUs>(i);
      record.events.source = {0};
      record.events.target = {1};
      record.events.time_us = {record.watermark_us};
      WEFT_TRY(visit(record));
    }
    return absl::OkStatus();
  }
  LogPosition End(std::uint32_t feed) const override { return {0, feed, 10}; }
  absl::StatusOr<std::vector<graph::ProducerState>> Producers(std::uint32_t) const override {
    return std::vector<graph::ProducerState>();
  }
};

TEST(FeederThreadsTest, AFeedThatFailsDoesNotLeaveTheOthersWaiting) {
  graph::Catalog catalog;
  catalog.Add<Join>("join");
  const auto spec = graph::ParsedSpec::Parse(kGraph, "test.pbtxt", catalog);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto executor = graph::MakeExecutor(2);
  const graph::SystemClock clock;
  graph::MetricRegistry metrics;
  graph::Environment environment;
  environment.catalog = &catalog;
  environment.executor = executor.get();
  environment.clock = &clock;
  environment.metrics = &metrics;
  const auto graph = graph::Graph::Build(*spec, environment);
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_TRUE((*graph)->Start().ok());
  const DamagedLog log;
  const auto ignore = [](const absl::Status&) {};
  Feeder left(graph->get(), &log, "left", ignore);
  Feeder right(graph->get(), &log, "right", ignore);
  right.Start({0, 2, 0});
  left.Start({0, 1, 0});
  EXPECT_EQ(left.WaitReplayed().code(), absl::StatusCode::kDataLoss);
  // Without the left input's time the right one's packets may not go on.
  EXPECT_FALSE(right.WaitReplayed().ok());
}

}  // namespace
}  // namespace weft::rpc
