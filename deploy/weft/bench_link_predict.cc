#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <thread>
#include <vector>

#include "deploy/weft/bench.h"
#include "deploy/weft/bench_restart.h"
#include "deploy/weft/bench_service.h"
#include "deploy/weft/command.h"
#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/link/link_training.h"
#include "rpc/client.h"
#include "rpc/ingest_load.h"
#include "rpc/thread_slice.h"

namespace weft::deploy {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

// Callers that share the requests, so that a slow answer does not hold up those that are due.
constexpr std::int64_t kCallers = 4;
// Of the load before the first request, so that the nodes asked about are known.
constexpr double kWarmUpSeconds = 1.0;
// Of the load after the last one, so that all requests are under load.
constexpr double kCoolDownSeconds = 1.0;

struct Latencies {
  std::vector<double> call;      // from when it was sent
  std::vector<double> from_due;  // from when it should have been sent
};

std::string KeyOf(std::uint64_t index, std::uint64_t side, std::int64_t nodes) {
  return graph::Concat("n", gpu::CounterHash(11, index, side) % static_cast<std::uint64_t>(nodes));
}

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Every kCallers-th request from `first` on, each at its time.
absl::StatusOr<Latencies> Call(const BenchFlags& flags, const std::string& address,
                               Clock::time_point begin, std::int64_t first) {
  const auto client = rpc::LinkClient::Open(address);
  const auto count = static_cast<std::int64_t>(flags.request_rate * flags.seconds);
  Latencies latencies;
  for (std::int64_t i = first; i < count; i += kCallers) {
    v1::ScoreLinksRequest request;
    v1::LinkPair& pair = *request.add_pair();
    pair.set_source(KeyOf(static_cast<std::uint64_t>(i), 0, flags.nodes));
    pair.set_target(KeyOf(static_cast<std::uint64_t>(i), 1, flags.nodes));
    const auto due =
        begin + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(static_cast<double>(i) / flags.request_rate));
    std::this_thread::sleep_until(due);
    const auto sent = Clock::now();
    WEFT_TRY(client->ScoreLinks(request).status());
    latencies.call.push_back(SecondsSince(sent));
    latencies.from_due.push_back(SecondsSince(due));
  }
  return latencies;
}

absl::StatusOr<Latencies> CallAll(const BenchFlags& flags, const std::string& address) {
  const auto begin = Clock::now();
  std::vector<std::future<absl::StatusOr<Latencies>>> callers;
  for (std::int64_t caller = 0; caller < kCallers; ++caller) {
    callers.push_back(std::async(std::launch::async, [&flags, &address, begin, caller] {
      return Call(flags, address, begin, caller);
    }));
  }
  Latencies all;
  absl::Status status;
  for (auto& caller : callers) {
    const auto latencies = caller.get();
    status.Update(latencies.status());
    if (!latencies.ok()) continue;
    all.call.insert(all.call.end(), latencies->call.begin(), latencies->call.end());
    all.from_due.insert(all.from_due.end(), latencies->from_due.begin(), latencies->from_due.end());
  }
  WEFT_TRY(status);
  return all;
}

absl::StatusOr<ordered_json> Measure(const BenchFlags& flags) {
  WEFT_ASSIGN(const auto service,
              BenchService::Start(flags.folder, flags.learn ? LearningGraph(flags.model)
                                                            : ScoringGraph(flags.model)));
  rpc::IngestLoadOptions options;
  options.address = service->address();
  options.feed = "events";
  options.producer = "bench";
  options.batch_events = flags.batch;
  options.node_count = flags.nodes;
  options.events_per_second = flags.ingest_rate;
  options.event_count = static_cast<std::int64_t>(
      flags.ingest_rate * (kWarmUpSeconds + flags.seconds + kCoolDownSeconds));
  // The service is measured, not how long callers on the same cores wait for their turn to look.
  rpc::AskForShortSlices();
  const double begin_service = service->CpuSeconds();
  const double begin_generator = operators::learn::ProcessCpuSeconds();
  auto load = std::async(std::launch::async, [options] { return rpc::RunIngestLoad(options); });
  std::this_thread::sleep_for(std::chrono::duration<double>(kWarmUpSeconds));
  const auto latencies = CallAll(flags, service->address());
  const bool under_load = load.wait_for(std::chrono::seconds(0)) == std::future_status::timeout;
  const auto report = load.get();
  WEFT_TRY(latencies.status());
  WEFT_TRY(report.status());
  const auto count = static_cast<double>(options.event_count);
  return ordered_json{
      {"requests", latencies->call.size()},
      {"requests_per_second", flags.request_rate},
      {"learning", flags.learn},
      {"nodes", flags.nodes},
      {"batch", flags.batch},
      {"call_milliseconds", Percentiles(latencies->call)},
      {"from_due_milliseconds", Percentiles(latencies->from_due)},
      {"wanted_events_per_second", flags.ingest_rate},
      {"applied_events_per_second", count / report->applied_seconds},
      {"all_under_load", under_load},
      {"service_cpu_seconds", service->CpuSeconds() - begin_service},
      {"generator_cpu_seconds", operators::learn::ProcessCpuSeconds() - begin_generator},
      {"service_peak_bytes", service->PeakBytes()}};
}

}  // namespace

int BenchLinkPredict(const BenchFlags& flags) {
  auto figures = Measure(flags);
  if (!figures.ok()) return FailOnInput(figures.status());
  if (flags.restart_events > 0) {
    auto restart = MeasureRestart(flags);
    if (!restart.ok()) return FailOnInput(restart.status());
    (*figures)["restart"] = *std::move(restart);
  }
  return PrintFigures(flags, "link_predict", *figures);
}

}  // namespace weft::deploy
