#include <algorithm>
#include <chrono>
#include <vector>

#include <tbb/global_control.h>

#include "cache/neighbor_cache.h"
#include "deploy/weft/bench.h"
#include "operators/learn/process_cost.h"
#include "operators/link/link_training.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

// The events in batches, with the distinct nodes of each and the places of the end points among
// them: what a model has at hand when it turns to its cache.
struct Batches {
  std::vector<std::uint32_t> nodes;
  std::vector<std::size_t> node_end;  // of each batch
  std::vector<cache::Interaction> interactions;
  std::vector<std::int32_t> source_read;
  std::vector<std::int32_t> target_read;
};

Batches Cut(const graph::EventBatch& events, std::int64_t batch) {
  Batches batches;
  std::vector<std::uint32_t> nodes;
  for (std::int64_t first = 0; first < events.size(); first += batch) {
    const auto span = graph::EventSpan::Of(events, first, std::min(first + batch, events.size()));
    nodes.assign(span.source.begin(), span.source.end());
    nodes.insert(nodes.end(), span.target.begin(), span.target.end());
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    const auto number = [&nodes](graph::NodeId node) {
      return static_cast<std::int32_t>(std::lower_bound(nodes.begin(), nodes.end(), node) -
                                       nodes.begin());
    };
    for (std::size_t i = 0; i < span.source.size(); ++i) {
      batches.interactions.push_back(
          {span.source[i], span.target[i], span.time_us[i],
           static_cast<std::uint32_t>(first + static_cast<std::int64_t>(i) + 1)});
      batches.source_read.push_back(number(span.source[i]));
      batches.target_read.push_back(number(span.target[i]));
    }
    batches.nodes.insert(batches.nodes.end(), nodes.begin(), nodes.end());
    batches.node_end.push_back(batches.nodes.size());
  }
  return batches;
}

ordered_json Measure(const BenchFlags& flags, const graph::EventBatch& events, std::int64_t batch,
                     int hops) {
  const Batches batches = Cut(events, batch);
  cache::NeighborCacheOptions options;
  options.max_nodes = std::max<std::int64_t>(1024, flags.nodes);
  if (hops == 1) options.slots[2] = 0;
  cache::NeighborCache neighbors(options, 2 * batch);
  const std::span interactions(batches.interactions);
  const std::span source_read(batches.source_read);
  const std::span target_read(batches.target_read);
  const auto begin_wall = std::chrono::steady_clock::now();
  const double begin = operators::learn::ProcessCpuSeconds();
  std::size_t first_node = 0;
  for (std::size_t i = 0; i < batches.node_end.size(); ++i) {
    const std::size_t first = i * static_cast<std::size_t>(batch);
    const std::size_t count =
        std::min(static_cast<std::size_t>(batch), interactions.size() - first);
    const cache::NeighborReads& reads = neighbors.Read(
        gpu::Exec(),
        std::span(batches.nodes).subspan(first_node, batches.node_end[i] - first_node));
    neighbors.Observe(gpu::Exec(), interactions.subspan(first, count),
                      source_read.subspan(first, count), target_read.subspan(first, count),
                      reads.state, reads.state_stride, [](std::uint32_t, bool) {});
    first_node = batches.node_end[i];
  }
  const double cpu = operators::learn::ProcessCpuSeconds() - begin;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin_wall;
  return {{"batch", batch},
          {"hops", hops},
          {"row_bytes", neighbors.row_bytes()},
          {"wall_seconds", wall.count()},
          {"cpu_seconds", cpu},
          {"events_per_cpu_second", static_cast<double>(flags.events) / cpu}};
}

}  // namespace

int BenchNeighborCache(const BenchFlags& flags) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const graph::EventBatch events = SkewedEvents(flags);
  ordered_json runs = ordered_json::array();
  for (const std::int64_t batch : {32, 64}) {
    for (const int hops : {1, 2}) runs.push_back(Measure(flags, events, batch, hops));
  }
  return PrintFigures(flags, "neighbor_cache",
                      {{"events", flags.events}, {"nodes", flags.nodes}, {"runs", runs}});
}

}  // namespace weft::deploy
