// What the benchmarks of `weft bench` share. Each one is a file; bench.cc makes subcommands of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "graph/event_batch.h"

namespace weft::deploy {

struct BenchFlags {
  std::int64_t events = 1'000'000;
  std::int64_t nodes = 10'000;
  std::int64_t batch = 0;
  std::string model = "weft";
  std::string folder;
  std::string graph;  // of `bench ingest`; empty: all
  bool learn = false;
  double request_rate = 1000.0;
  double seconds = 10.0;
  double ingest_rate = 50'000.0;
  std::int64_t restart_events = 0;
  bool json = false;
  // Of `bench link_rank`.
  std::int64_t candidates = 10'000;
  std::int64_t requests = 200;
  // Of `bench hierarchy`.
  std::int64_t snapshots = 1'000'000;
  std::int32_t busy_nodes = 20;
  double interactions = 12.0;
  std::int64_t leaves = 1 << 16;
  std::int64_t keep_snapshots = 0;  // 0: as long as there is room
  // Of `bench sequence`.
  std::int64_t records = 100'000;
  std::int64_t series = 1000;
  std::int64_t records_of_each = 2000;
  // Of `bench accuracy`.
  std::string data;
  std::vector<std::string> sets;  // empty: all of the folder
  std::vector<std::string> models = {"weft"};
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::int32_t epochs = 3;
  std::int64_t ranked_events = 3000;
};

int BenchAccuracy(const BenchFlags& flags);
int BenchHierarchy(const BenchFlags& flags);
int BenchIngest(const BenchFlags& flags);
int BenchLinkModel(const BenchFlags& flags);
int BenchLinkPredict(const BenchFlags& flags);
int BenchLinkRank(const BenchFlags& flags);
int BenchNeighborCache(const BenchFlags& flags);
int BenchSequence(const BenchFlags& flags);

// A stream whose popular nodes are far more frequent than the others. A function of the flags.
graph::EventBatch SkewedEvents(const BenchFlags& flags);

// Of durations in seconds, in milliseconds: p50, p99, p999, max.
nlohmann::ordered_json Percentiles(std::vector<double> seconds);

// The figures with the machine that they were taken on, as a table or as one JSON object.
int PrintFigures(const BenchFlags& flags, const std::string& bench,
                 const nlohmann::ordered_json& figures);

}  // namespace weft::deploy
