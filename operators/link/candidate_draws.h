// The candidates that the target of an event is ranked among: half of them known to its source, so
// that neither "was seen" nor "was met" tells it from them. docs/evaluation.md, "mrr".
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "graph/event_batch.h"

namespace weft::operators::link {

// Of a ranking: what the positive stands against, and how many of it at most are past targets of
// its source.
inline constexpr std::size_t kRankCandidates = 100;
inline constexpr std::size_t kHistoricalCandidates = 50;

// What candidates of one event are drawn from.
struct CandidateSources {
  // Distinct targets that the event's source had before, without those that happened.
  std::vector<graph::NodeId> past;
  // All targets, by place, from 0.
  std::uint64_t pool_size = 0;
  absl::FunctionRef<graph::NodeId(std::uint64_t)> pool;
  // Whether the source met the target at the time of the event: never a candidate then.
  absl::FunctionRef<bool(graph::NodeId)> happened;
};

// `count` distinct targets: first up to `historical` of the past, uniform without replacement, then
// uniform over the pool. Fewer where the pool has fewer. Drawn by the counter hash of (`seed`,
// `position`, number of the draw).
std::vector<graph::NodeId> DrawCandidates(CandidateSources sources, std::size_t historical,
                                          std::size_t count, std::uint64_t seed,
                                          std::uint64_t position);

}  // namespace weft::operators::link
