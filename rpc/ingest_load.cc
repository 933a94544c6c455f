#include "rpc/ingest_load.h"

#include <charconv>
#include <chrono>
#include <thread>
#include <vector>

#include <time.h>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/ingest_client.h"

namespace weft::rpc {
namespace {

using Clock = std::chrono::steady_clock;

double ThreadCpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// SplitMix64: event i of the load is a function of the seed and i.
std::uint64_t Hash(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15ULL;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
  return number ^ (number >> 31);
}

}  // namespace

absl::StatusOr<IngestLoadReport> RunIngestLoad(const IngestLoadOptions& options) {
  WEFT_ASSIGN(const auto client,
              IngestClient::Open({.address = options.address,
                                  .feed = options.feed,
                                  .producer = options.producer,
                                  .batch_events = options.batch_events,
                                  .reconnect_seconds = options.reconnect_seconds}));
  std::vector<std::string> keys;
  for (std::int64_t i = 0; i < options.node_count; ++i) keys.push_back(graph::Concat("n", i));
  const auto start = Clock::now();
  const double start_cpu = ThreadCpuSeconds();
  const auto nodes = static_cast<std::uint64_t>(options.node_count);
  for (std::int64_t i = 0; i < options.event_count; ++i) {
    const std::uint64_t draw =
        Hash(options.seed * 0x100000001b3ULL + static_cast<std::uint64_t>(i));
    WEFT_TRY(client->Add(keys[draw % nodes], keys[(draw >> 32) % nodes], i * 1000, {}, {}));
    if (options.events_per_second > 0 && i % options.batch_events == 0) {
      std::this_thread::sleep_until(
          start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                      static_cast<double>(i) / options.events_per_second)));
    }
  }
  IngestLoadReport report;
  WEFT_TRY(client->Wait(IngestClient::Level::kDurable));
  report.durable_seconds = SecondsSince(start);
  WEFT_TRY(client->Wait(IngestClient::Level::kApplied));
  report.applied_seconds = SecondsSince(start);
  report.client_cpu_seconds = ThreadCpuSeconds() - start_cpu;
  WEFT_TRY(client->Finish());
  report.rejected_count = client->progress().rejected_count;
  return report;
}

}  // namespace weft::rpc
