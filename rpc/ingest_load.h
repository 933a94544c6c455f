// RunIngestLoad: a stream of made-up events into a server, measured; `weft bench ingest` prints
// what it returns.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace weft::rpc {

struct IngestLoadOptions {
  std::string address;
  std::string feed;
  std::string producer;
  std::int64_t event_count = 1'000'000;
  std::int64_t batch_events = 4096;
  std::int64_t node_count = 10'000;  // keys are drawn from these
  std::uint64_t seed = 1;
  double events_per_second = 0;   // 0: as fast as they go
  double reconnect_seconds = 60;  // as of IngestClient
};

struct IngestLoadReport {
  double durable_seconds = 0;     // from the first event until the last was durable
  double applied_seconds = 0;     // until the last was applied
  double client_cpu_seconds = 0;  // of the calling thread, which makes and sends the events
  std::uint64_t rejected_count = 0;
};

absl::StatusOr<IngestLoadReport> RunIngestLoad(const IngestLoadOptions& options);

}  // namespace weft::rpc
