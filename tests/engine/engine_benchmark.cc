// What the engine itself costs per micro-batch and operator: chains of operators that only pass a
// payload on.
#include <memory>

#include <benchmark/benchmark.h>

#include "graph/text.h"
#include "tests/engine/graph_fixture.h"

namespace weft::tests {
namespace {

using graph::Concat;
using graph::EventBatch;
using graph::Packet;

// Sends the same payload on for every micro-batch: no work and no allocation of its own.
class Relay final : public graph::Operator {
 public:
  static constexpr graph::In<EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<EventBatch> kOut{"EVENTS"};
  static graph::Contract contract() {
    graph::Contract contract;
    contract.Input(kEvents).Output(kOut);
    contract.stateful = false;
    return contract;
  }
  absl::Status Open(graph::OpenContext&) override {
    payload_ = std::make_shared<const EventBatch>(RandomEvents(1, 64, 100, 0));
    return absl::OkStatus();
  }
  absl::Status Process(graph::ProcessContext& context) override {
    context.Emit(kOut, payload_);
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<const EventBatch> payload_;
};

// Takes both its inputs and sends nothing.
class Meet final : public graph::Operator {
 public:
  static constexpr graph::In<EventBatch> kLeft{"LEFT"};
  static constexpr graph::In<EventBatch> kRight{"RIGHT"};
  static graph::Contract contract() {
    graph::Contract contract;
    contract.Input(kLeft).Input(kRight);
    contract.stateful = false;
    return contract;
  }
  absl::Status Open(graph::OpenContext&) override { return absl::OkStatus(); }
  absl::Status Process(graph::ProcessContext&) override { return absl::OkStatus(); }
};

const graph::Catalog& BenchmarkCatalog() {
  static const graph::Catalog* const catalog = [] {
    auto made = std::make_unique<graph::Catalog>();
    made->Add<Relay>("relay");
    made->Add<Meet>("meet");
    return made.release();
  }();
  return *catalog;
}

std::string Chain(std::int64_t length) {
  std::string spec = "input { name: 's0' type: 'EventBatch' }\n";
  for (std::int64_t i = 0; i < length; ++i) {
    spec += Concat("node { name: 'n", i, "' operator: 'relay' input: 'EVENTS:s", i, "'");
    if (i + 1 < length) spec += Concat(" output: 'EVENTS:s", i + 1, "'");
    spec += " }\n";
  }
  return spec;
}

// Pushes packets of `rows` rows and reports the CPU time of the whole process per micro-batch and
// operator.
void PushPackets(benchmark::State& state, GraphFixture& fixture, std::int64_t rows,
                 std::int64_t operator_count) {
  const auto payload = std::make_shared<const EventBatch>(RandomEvents(1, rows, 100, 0));
  WEFT_CHECK_OK(fixture.graph->Start());
  std::uint64_t offset = 0;
  constexpr int kPacketsARound = 200;
  for (auto _ : state) {
    for (int i = 0; i < kPacketsARound; ++i) {
      WEFT_CHECK_OK(
          fixture.graph->Push("s0", Packet::Make<EventBatch>(payload, {0, 1, offset}, 0)));
      offset += static_cast<std::uint64_t>(rows);
    }
    WEFT_CHECK_OK(fixture.graph->Drain());
  }
  const auto micro_batches = static_cast<double>((rows + 63) / 64 * kPacketsARound);
  state.counters["per_micro_batch_and_operator"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * micro_batches * static_cast<double>(operator_count),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Arguments: threads (0: serial), operators in the chain, rows of a packet.
void BM_Chain(benchmark::State& state) {
  GraphFixture fixture(Chain(state.range(1)), static_cast<int>(state.range(0)), BenchmarkCatalog());
  PushPackets(state, fixture, state.range(2), state.range(1));
}
BENCHMARK(BM_Chain)->ArgsProduct({{0, 1, 2}, {1, 4}, {64, 4096}})->MeasureProcessCPUTime();

// A diamond: two relays that meet in one operator with two inputs.
void BM_Diamond(benchmark::State& state) {
  GraphFixture fixture(R"(
input { name: "s0" type: "EventBatch" }
node { name: "l" operator: "relay" input: "EVENTS:s0" output: "EVENTS:a" }
node { name: "r" operator: "relay" input: "EVENTS:s0" output: "EVENTS:b" }
node { name: "m" operator: "meet" input: "LEFT:a" input: "RIGHT:b" }
)",
                       static_cast<int>(state.range(0)), BenchmarkCatalog());
  constexpr std::int64_t kProcessCalls = 4;  // one a relay, two where they meet
  PushPackets(state, fixture, state.range(1), kProcessCalls);
}
BENCHMARK(BM_Diamond)->ArgsProduct({{0, 2}, {64, 4096}})->MeasureProcessCPUTime();

}  // namespace
}  // namespace weft::tests
