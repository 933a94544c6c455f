// OperatorRunner: one operator of a catalog on its own, packets in and packets out, for its unit
// test.
//
//   OperatorRunner runner(catalog, "nat", "hops: 1");
//   ASSERT_TRUE(runner.Feed("EVENTS", packet).ok());
//   EXPECT_EQ(runner.Outputs<LinkScores>("SCORES").size(), 1u);
//
// It runs serially on the caller's thread; Feed returns when the packet has been processed, or,
// with several ports, when it waits for the time of another port (AdvanceTime moves that).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "graph/catalog.h"
#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "tests/harness/memory_checkpoints.h"

namespace weft::tests {

class OperatorRunner {
 public:
  // `options` is the text of the options message's fields. `inputs` names the connected input
  // ports; none: all of them. All output ports are connected. An error of Open is status()'s, and
  // everything else's.
  OperatorRunner(const graph::Catalog& catalog, std::string_view operator_name,
                 std::string_view options = "", std::vector<std::string> inputs = {});

  const absl::Status& status() const { return status_; }
  absl::Status Feed(std::string_view port, graph::Packet packet);
  absl::Status AdvanceTime(std::string_view port, graph::TimeUs time_us);

  // Everything that has left at an output port so far.
  const std::vector<graph::Packet>& Packets(std::string_view port) const;
  template <class T>
  std::vector<const T*> Outputs(std::string_view port) const {
    std::vector<const T*> payloads;
    for (const graph::Packet& packet : Packets(port)) payloads.push_back(&packet.Get<T>());
    return payloads;
  }

  // Saves the state, makes a new operator and loads it there; outputs stay.
  absl::Status SaveAndLoad();
  // Hash of the state.
  absl::StatusOr<std::uint64_t> StateHash();
  // The operator, between two micro-batches.
  absl::Status Read(const std::function<void(const graph::Operator&)>& read);
  graph::MetricRegistry& metrics() { return metrics_; }

 private:
  absl::Status Build();

  const graph::Catalog& catalog_;
  std::string spec_text_;
  std::vector<std::string> output_ports_;
  absl::Status status_;
  graph::SystemClock clock_;
  graph::MetricRegistry metrics_;
  graph::SerialExecutor executor_;
  std::map<std::string, std::vector<graph::Packet>, std::less<>> packets_;
  std::map<std::string, graph::LogPosition, std::less<>> next_position_;
  std::unique_ptr<graph::Graph> graph_;
};

}  // namespace weft::tests
