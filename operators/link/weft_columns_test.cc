#include "operators/link/weft_columns.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/link/weft_pair.h"

namespace weft::operators::link {
namespace {

// Few nodes, often several events of one time.
graph::EventBatch MakeEvents(std::int64_t count) {
  std::mt19937_64 random(11);
  graph::EventBatch events;
  std::int64_t time_us = 5'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    if (random() % 5 < 2) time_us += static_cast<std::int64_t>(random() % 3000);
    events.source.push_back(static_cast<graph::NodeId>(random() % 12));
    events.target.push_back(static_cast<graph::NodeId>(random() % 12));
    events.time_us.push_back(time_us);
  }
  return events;
}

// The first event that event `index` may not know.
std::size_t KnownEnd(const graph::EventBatch& events, std::size_t index, LinkReads reads,
                     std::size_t batch) {
  if (reads == LinkReads::kBeforeEvent) return index;
  if (reads == LinkReads::kBeforeBatch) return index / batch * batch;
  while (index > 0 && events.time_us[index - 1] == events.time_us[index]) --index;
  return index;
}

// From a table that took in nothing but events [0, known).
std::vector<float> ColumnsOf(const graph::EventBatch& events, std::size_t index,
                             std::size_t known) {
  cache::PartnerTable table({.max_nodes = 100});
  for (std::size_t i = 0; i < known; ++i) {
    const cache::PartnerEvent event =
        table.Admit(events.source[i], events.target[i], events.time_us[i]);
    cache::ObserveEvent(table.rows(), table.stream(), event, false);
  }
  WeftSource source;
  ReadSource(table.rows(), NowOfRead(table.stream(), events.time_us[index]), events.source[index],
             table.nodes().Find(events.source[index]), source);
  std::vector<float> columns(kWeftStride);
  ReadPair(table.rows(), source, events.target[index], table.nodes().Find(events.target[index]),
           columns.data());
  columns.resize(kWeftColumnCount);
  return columns;
}

TEST(WeftColumns, AreThoseOfATableThatKnowsNoMore) {
  constexpr std::size_t kEvents = 300;
  constexpr std::int64_t kStride = kWeftColumnCount + 3;
  const graph::EventBatch events = MakeEvents(kEvents);
  for (const LinkReads reads :
       {LinkReads::kBeforeTime, LinkReads::kBeforeEvent, LinkReads::kBeforeBatch}) {
    WeftColumns columns({.table = {.max_nodes = 100}, .reads = reads, .step_events = 16},
                        gpu::HostExec{});
    std::vector<float> rows(kEvents * kStride, -1.0f);
    columns.Advance(graph::EventSpan::Of(events), rows.data(), kStride);
    for (std::size_t i = 0; i < kEvents; ++i) {
      const float* row = rows.data() + i * kStride;
      const std::vector<float> found(row, row + kWeftColumnCount);
      EXPECT_EQ(found, ColumnsOf(events, i, KnownEnd(events, i, reads, 16)))
          << LinkReadsName(reads) << ", event " << i;
      EXPECT_EQ(row[kWeftColumnCount], -1.0f);
    }
  }
}

}  // namespace
}  // namespace weft::operators::link
