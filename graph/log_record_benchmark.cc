// Encoding and decoding of log records, in events.
#include <random>

#include <benchmark/benchmark.h>

#include "graph/log_record.h"

namespace weft::graph {
namespace {

LogRecord MakeRecord(std::int64_t count, std::int32_t feature_count) {
  std::mt19937_64 random(1);
  LogRecord record;
  TimeUs time_us = 1'700'000'000'000'000;
  record.events.feature_count = feature_count;
  for (std::int64_t i = 0; i < count; ++i) {
    record.events.source.push_back(static_cast<NodeId>(random() % 100'000));
    record.events.target.push_back(static_cast<NodeId>(random() % 100'000));
    record.events.time_us.push_back(time_us += static_cast<TimeUs>(random() % 20'000));
    for (std::int32_t j = 0; j < feature_count; ++j) record.events.feature.push_back(0.5f);
  }
  return record;
}

// Arguments: events of a record, features of an event.
void BM_EncodeLogRecord(benchmark::State& state) {
  const LogRecord record = MakeRecord(state.range(0), static_cast<std::int32_t>(state.range(1)));
  std::string bytes;
  for (auto _ : state) {
    EncodeLogRecord(record, bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_an_event"] =
      static_cast<double>(bytes.size()) / static_cast<double>(state.range(0));
}
BENCHMARK(BM_EncodeLogRecord)->ArgsProduct({{64, 1024}, {0, 16}});

void BM_DecodeLogRecord(benchmark::State& state) {
  std::string bytes;
  EncodeLogRecord(MakeRecord(state.range(0), static_cast<std::int32_t>(state.range(1))), bytes);
  for (auto _ : state) {
    auto record = DecodeLogRecord({}, bytes);
    benchmark::DoNotOptimize(record);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_DecodeLogRecord)->ArgsProduct({{64, 1024}, {0, 16}});

}  // namespace
}  // namespace weft::graph
