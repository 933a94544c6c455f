// PlantedHierarchy: made-up interactions whose episodes are known, to measure how well episodes are
// found. Coarse episodes are communities of nodes; each is cut into fine ones, in which one node is
// the hub and interactions come at a rate of their own. The same for a seed on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/event_batch.h"
#include "graph/time.h"

namespace weft::operators::hierarchy {

struct PlantedHierarchyOptions {
  std::uint64_t seed = 1;
  std::int64_t snapshots = 4000;
  std::int32_t nodes = 20;     // at least 5
  double interactions = 12.0;  // a snapshot, in the mean; at most 10,000
  graph::TimeUs snapshot_us = 1'000'000;
  std::int64_t fine_least = 30, fine_most = 120;       // snapshots of a fine episode
  std::int64_t coarse_least = 200, coarse_most = 600;  // of a coarse one
};

struct PlantedHierarchy {
  graph::EventBatch events;  // in time order
  // Snapshots before which an episode begins, but for the first one. Coarse ones are fine ones too.
  std::vector<std::int64_t> fine, coarse;
};

// Of a fine episode, the hub sends two interactions in five; four in five stay within a community
// of five nodes or some more; its rate lies between half and one and a half of the mean.
PlantedHierarchy MakePlantedHierarchy(const PlantedHierarchyOptions& options);

}  // namespace weft::operators::hierarchy
