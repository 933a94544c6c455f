#include <chrono>
#include <future>
#include <vector>

#include "deploy/weft/bench.h"
#include "deploy/weft/bench_service.h"
#include "deploy/weft/command.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/link/link_training.h"
#include "rpc/client.h"
#include "rpc/ingest_load.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

// What the client was told has to be what the log holds.
absl::Status CheckCounts(const BenchService& service, std::int64_t events) {
  const auto admin = rpc::AdminClient::Open(service.address());
  WEFT_ASSIGN(const v1::GetServerInfoResponse info, admin->GetServerInfo());
  const auto expected = static_cast<std::uint64_t>(events);
  if (info.feed_size() == 1 && info.feed(0).durable_count() == expected &&
      info.feed(0).applied_count() == expected) {
    return absl::OkStatus();
  }
  return absl::InternalError(graph::Concat("expected a service with ", events,
                                           " events durable and applied, got ",
                                           info.ShortDebugString()));
}

constexpr auto kLookEvery = std::chrono::milliseconds(50);

// Memory of the service while the load runs: what does not grow with events stays the same from the
// first quarter of the time on.
class MemorySamples {
 public:
  void Add(double bytes) { bytes_.push_back(bytes); }
  ordered_json Json() const { return {{"quarter", At(1)}, {"half", At(2)}, {"end", At(4)}}; }

 private:
  double At(std::size_t quarters) const { return bytes_[(bytes_.size() - 1) * quarters / 4]; }
  std::vector<double> bytes_;
};

absl::StatusOr<ordered_json> Measure(const BenchFlags& flags, std::string_view graph) {
  WEFT_ASSIGN(const auto service, BenchService::Start(flags.folder, graph));
  rpc::IngestLoadOptions options;
  options.address = service->address();
  options.feed = "events";
  options.producer = "bench";
  options.event_count = flags.events;
  options.batch_events = flags.batch;
  options.node_count = flags.nodes;
  const double begin_service = service->CpuSeconds();
  const double begin_generator = operators::learn::ProcessCpuSeconds();
  auto load = std::async(std::launch::async, [options] { return rpc::RunIngestLoad(options); });
  MemorySamples memory;
  do memory.Add(service->ResidentBytes());
  while (load.wait_for(kLookEvery) != std::future_status::ready);
  WEFT_ASSIGN(const rpc::IngestLoadReport report, load.get());
  const double generator = operators::learn::ProcessCpuSeconds() - begin_generator;
  WEFT_TRY(CheckCounts(*service, flags.events));
  const auto count = static_cast<double>(flags.events);
  return ordered_json{{"durable_events_per_second", count / report.durable_seconds},
                      {"applied_events_per_second", count / report.applied_seconds},
                      {"durable_seconds", report.durable_seconds},
                      {"applied_seconds", report.applied_seconds},
                      {"service_cpu_seconds", service->CpuSeconds() - begin_service},
                      {"generator_cpu_seconds", generator},
                      {"service_peak_bytes", service->PeakBytes()},
                      {"service_resident_bytes", memory.Json()},
                      {"rejected", report.rejected_count}};
}

}  // namespace

int BenchIngest(const BenchFlags& flags) {
  ordered_json figures = {{"events", flags.events},
                          {"nodes", flags.nodes},
                          {"batch", flags.batch},
                          {"model", flags.model}};
  const struct {
    const char* name;
    std::string graph;
  } graphs[] = {{"log_only", std::string(kLogOnlyGraph)},
                {"scoring", ScoringGraph(flags.model)},
                {"learning", LearningGraph(flags.model)}};
  for (const auto& [name, graph] : graphs) {
    if (!flags.graph.empty() && flags.graph != name) continue;
    auto measured = Measure(flags, graph);
    if (!measured.ok()) return FailOnInput(measured.status());
    figures[name] = *std::move(measured);
  }
  return PrintFigures(flags, "ingest", figures);
}

}  // namespace weft::deploy
