// `weft bench link_rank`: what RankTargets asks of a model, without the service around it.
#include <algorithm>
#include <chrono>
#include <numeric>

#include <tbb/global_control.h>

#include "deploy/weft/bench.h"
#include "deploy/weft/command.h"
#include "gpu/host_device.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::link::LinkModel;

// Distinct nodes in random order, other ones for each request.
void DrawCandidates(std::uint64_t request, std::span<graph::NodeId> nodes, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto left = static_cast<std::uint64_t>(nodes.size()) - static_cast<std::uint64_t>(i);
    const std::uint64_t hash = gpu::CounterHash(11, request, static_cast<std::uint64_t>(i));
    const std::uint64_t drawn = static_cast<std::uint64_t>(i) + hash % left;
    std::swap(nodes[static_cast<std::size_t>(i)], nodes[drawn]);
  }
}

ordered_json Measure(const LinkModel& model, const BenchFlags& flags,
                     const graph::EventBatch& events, int threads) {
  constexpr std::int64_t kWarmUp = 5;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(threads));
  std::vector<graph::NodeId> nodes(static_cast<std::size_t>(flags.nodes));
  std::iota(nodes.begin(), nodes.end(), graph::NodeId{0});
  const auto count = static_cast<std::size_t>(flags.candidates);
  std::vector<operators::link::PairScore> scores(count);
  std::vector<double> seconds;
  double cpu = 0.0;
  for (std::int64_t i = -kWarmUp; i < flags.requests; ++i) {
    const auto request = static_cast<std::uint64_t>(i + kWarmUp);
    DrawCandidates(request, nodes, flags.candidates);
    const graph::NodeId source =
        events.source[gpu::CounterHash(13, request, 0) % events.source.size()];
    const std::vector<graph::NodeId> sources(count, source);
    const double cpu_begin = operators::learn::ProcessCpuSeconds();
    const auto begin = std::chrono::steady_clock::now();
    model.ScorePairs(sources, std::span(nodes).first(count), events.time_us.back() + 1, scores);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (i < 0) continue;
    cpu += operators::learn::ProcessCpuSeconds() - cpu_begin;
    seconds.push_back(taken.count());
  }
  return {{"threads", threads},
          {"milliseconds", Percentiles(seconds)},
          {"cpu_milliseconds", 1e3 * cpu / static_cast<double>(flags.requests)}};
}

}  // namespace

int BenchLinkRank(const BenchFlags& flags) {
  if (flags.candidates > flags.nodes)
    return Fail(graph::Concat("expected at least as many --nodes as --candidates, got ",
                              flags.nodes, " and ", flags.candidates),
                kUsage);
  const auto factory = operators::link::FindLinkModel(flags.model);
  if (!factory.ok()) return Fail(graph::Concat("--model: ", factory.status().message()), kUsage);
  const graph::EventBatch events = SkewedEvents(flags);
  operators::link::LinkModelRequest request;
  request.node_count = flags.nodes;
  request.event_count = flags.events;
  const auto model = (*factory)(request);
  if (!model.ok()) return Fail(model.status());
  operators::link::NegativeTargets negatives(events);
  operators::link::LinkStream stream(**model, negatives, request.batch, nullptr);
  const operators::link::LinkPart part{
      .events = &events, .begin = 0, .end = events.size(), .file_index = {}, .pool_size = 0};
  stream.Run(part, operators::link::LinkStream::Mode::kObserve, 1, "", nullptr);
  ordered_json runs = ordered_json::array();
  for (const int threads : {1, 2}) runs.push_back(Measure(**model, flags, events, threads));
  return PrintFigures(flags, "link_rank",
                      {{"model", flags.model},
                       {"events", flags.events},
                       {"nodes", flags.nodes},
                       {"candidates", flags.candidates},
                       {"requests", flags.requests},
                       {"runs", runs}});
}

}  // namespace weft::deploy
