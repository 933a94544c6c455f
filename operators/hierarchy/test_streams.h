// For tests: streams of events, and what a tree tells of them.
#pragma once

#include <vector>

#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/episode_stream.h"

namespace weft::operators::hierarchy {

// Three hubs take turns, for 40, 50 and 60 seconds: after hub n comes hub n + 1. Each second a hub
// meets eight nodes of its own.
inline graph::EventBatch TurnsOfHubs(int turns) {
  graph::EventBatch events;
  graph::TimeUs time_us = 0;
  for (int turn = 0; turn < turns; ++turn) {
    const auto hub = static_cast<graph::NodeId>(turn % 3);
    for (int second = 0; second < 40 + 10 * (turn % 3); ++second, time_us += 1'000'000) {
      for (graph::NodeId other = 0; other < 8; ++other) {
        events.source.push_back(hub);
        events.target.push_back(10 + 10 * hub + other);
        events.time_us.push_back(time_us);
      }
    }
  }
  return events;
}

// A batch for each second of events: what changed, and every `report_every` snapshots what is open.
inline std::vector<EpisodeBatch> ToldBySecond(const graph::EventBatch& events,
                                              std::int64_t report_every) {
  EpisodeStream stream({}, {});
  std::vector<EpisodeBatch> told;
  std::vector<cache::EpisodeChange> changes;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const std::int64_t before = stream.tree().snapshot_count();
    stream.Push(graph::EventSpan::Of(events, i, i + 1), changes);
    const std::int64_t count = stream.tree().snapshot_count();
    if (count == before) continue;
    EpisodeBatch& batch = told.emplace_back();
    for (const cache::EpisodeChange& change : changes) AppendChange(stream.tree(), change, batch);
    if (count % report_every == 0)
      AppendGrowing(stream.tree(), stream.leaf().latest_score(), batch);
    changes.clear();
  }
  return told;
}

}  // namespace weft::operators::hierarchy
