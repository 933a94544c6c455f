// Ingest over loopback, client and server in this process, into a graph that does nothing with the
// events:
//   build/release/rpc_benchmark --benchmark_filter=Ingest
#include <benchmark/benchmark.h>

#include "rpc/ingest_load.h"
#include "rpc/logging.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {
namespace {

// Takes events in and forgets them.
class EventSink final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static graph::Contract contract() {
    graph::Contract contract;
    contract.stateful = false;
    contract.micro_batch = 1 << 20;
    return contract.Input(kEvents);
  }
  absl::Status Open(graph::OpenContext&) override { return absl::OkStatus(); }
  absl::Status Process(graph::ProcessContext&) override { return absl::OkStatus(); }
};

void BM_Ingest(benchmark::State& state) {
  SetLogLevel(LogLevel::kWarning);
  graph::Catalog catalog;
  catalog.Add<EventSink>("event_sink");
  const TestPlace place;
  Server::Options options = TestServerOptions(place);
  options.catalog = &catalog;
  options.graph_text = R"(
    input { name: "events" type: "EventBatch" }
    node { name: "sink" operator: "event_sink" input: "EVENTS:events" })";
  const auto server = Server::Start(std::move(options));
  if (!server.ok()) return state.SkipWithError(server.status().ToString().c_str());
  constexpr std::int64_t kEvents = 1'000'000;
  int run = 0;
  for ([[maybe_unused]] auto _ : state) {
    IngestLoadOptions load;
    load.address = (*server)->address();
    load.feed = "events";
    load.producer = "run " + std::to_string(run++);
    load.event_count = kEvents;
    load.batch_events = state.range(0);
    // Later runs must not be late.
    load.seed = static_cast<std::uint64_t>(run);
    const auto report = RunIngestLoad(load);
    if (!report.ok()) return state.SkipWithError(report.status().ToString().c_str());
    state.counters["durable_per_second"] = static_cast<double>(kEvents) / report->durable_seconds;
    state.counters["applied_per_second"] = static_cast<double>(kEvents) / report->applied_seconds;
    state.counters["client_cpu_seconds"] = report->client_cpu_seconds;
    state.counters["rejected"] = static_cast<double>(report->rejected_count);
  }
}
BENCHMARK(BM_Ingest)
    ->Arg(256)
    ->Arg(1024)
    ->Arg(4096)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace weft::rpc
