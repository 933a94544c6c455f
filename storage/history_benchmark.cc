// Writing and reading History: a million events between nodes drawn uniformly, 5 ms apart, in
// records of 1,024.
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "graph/check.h"
#include "storage/data_directory.h"
#include "storage/database.h"
#include "storage/disk_space.h"
#include "storage/history_block.h"
#include "storage/test_directory.h"

namespace weft::storage {
namespace {

constexpr int kRecordEvents = 1024;
constexpr std::int64_t kEvents = 1'000'000;

std::unique_ptr<DataDirectory> OpenOrDie(const TestDirectory& place) {
  auto directory = DataDirectory::Open({.path = place.path()});
  WEFT_CHECK(directory.ok());
  return *std::move(directory);
}

void AppendEvents(DataDirectory& directory, int node_count, std::int64_t event_count) {
  std::mt19937 random(1);
  const auto draw = [&] {
    return static_cast<graph::NodeId>(random() % static_cast<unsigned>(node_count));
  };
  std::int64_t time_us = 1'600'000'000'000'000;
  for (std::int64_t begin = 0; begin < event_count; begin += kRecordEvents) {
    graph::LogRecord record;
    record.position = {0, 1, static_cast<std::uint64_t>(begin)};
    for (int i = 0; i < kRecordEvents; ++i) {
      time_us += static_cast<std::int64_t>(1 + random() % 10'000);
      record.events.source.push_back(draw());
      record.events.target.push_back(draw());
      record.events.time_us.push_back(time_us);
    }
    record.seq_count = kRecordEvents;
    record.watermark_us = time_us;
    WEFT_CHECK(directory.log().Append(std::vector{MakeAppend(record)}).ok());
  }
}

// Bytes of the family's values for each entry in it.
double BytesPerEntry(const TestDirectory& place) {
  const DiskSpace space(0, [] { return ~std::uint64_t{0}; });
  const auto database = Database::Open(place.path() + "/db", nullptr, &space);
  WEFT_CHECK(database.ok());
  const auto iterator = (*database)->Iterate(Family::kHistory);
  double bytes = 0;
  double entries = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    const auto key = HistoryKey::Decode(ToView(iterator->key()));
    if (!key) continue;
    bytes += static_cast<double>(iterator->key().size() + iterator->value().size());
    const auto block = DecodeHistoryBlock(*key, ToView(iterator->value()));
    WEFT_CHECK(block.ok());
    entries += static_cast<double>(block->entries.size());
  }
  return bytes / entries;
}

// In steps of range(1) events, as checkpoints bring them.
void BM_TakeIn(benchmark::State& state) {
  double bytes_per_entry = 0;
  for (auto unused : state) {
    state.PauseTiming();
    const TestDirectory place;
    auto directory = OpenOrDie(place);
    AppendEvents(*directory, static_cast<int>(state.range(0)), kEvents);
    const std::uint64_t end = directory->log().End(1).offset;
    state.ResumeTiming();
    const auto step = static_cast<std::uint64_t>(state.range(1));
    for (std::uint64_t at = step; at < end + step; at += step)
      WEFT_CHECK(directory->history().TakeIn({0, 1, std::min(at, end)}).ok());
    state.PauseTiming();
    directory.reset();
    bytes_per_entry = BytesPerEntry(place);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
  state.counters["bytes_per_entry"] = bytes_per_entry;
}
BENCHMARK(BM_TakeIn)
    ->Args({10'000, 100'000})
    ->Args({10'000, 1'000'000})
    ->Args({100'000, 100'000})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// The latest 1,000 events of range(0) nodes; the last range(1) events are in the log only.
void BM_Latest(benchmark::State& state) {
  const TestDirectory place;
  const auto directory = OpenOrDie(place);
  AppendEvents(*directory, 10'000, kEvents);
  const std::uint64_t end = directory->log().End(1).offset;
  const auto tail = static_cast<std::uint64_t>(state.range(1));
  WEFT_CHECK(directory->history().TakeIn({0, 1, end - tail}).ok());
  std::vector<graph::NodeId> nodes;
  for (std::int64_t n = 0; n < state.range(0); ++n) nodes.push_back(static_cast<graph::NodeId>(n));
  for (auto unused : state) {
    const auto pasts = directory->history().Latest({.feed = 1, .nodes = nodes, .limit = 1000});
    WEFT_CHECK(pasts.ok());
    benchmark::DoNotOptimize(pasts->data());
  }
}
BENCHMARK(BM_Latest)
    ->Args({1, 0})
    ->Args({1, 100'000})
    ->Args({1, 500'000})
    ->Args({1000, 0})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weft::storage
