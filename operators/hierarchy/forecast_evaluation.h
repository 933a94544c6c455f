// How well the ends of episodes, and what follows them, are known before (`weft eval episodes`):
// each forecast from what was known at its time alone. What each figure is: docs/hierarchy.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/leaf_boundaries.h"
#include "graph/event_batch.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

struct ForecastOptions {
  SnapshotOptions snapshots;
  cache::LeafOptions leaf;
  std::int64_t every_snapshots = 16;  // between two forecasts of a level
  graph::TimeUs horizon_us = 30'000'000;
  std::size_t precedents = 8;
  std::uint64_t seed = 1;  // of the graph network
  bool records = false;    // every forecast, not the figures alone
};

// Of forecasts of an end, against the one that came.
struct EndFigures {
  double coverage = 0.0;         // share of ends between the first and the last quantile
  double pinball_seconds = 0.0;  // mean loss over the quantiles
};
// Of probabilities that an episode ends within the horizon.
struct HazardFigures {
  double log_loss = 0.0;
  std::optional<double> auroc = {};  // none if all or none did
};

struct ForecastLevel {
  std::int32_t level = 1;
  std::int64_t episodes = 0;
  std::int64_t forecasts = 0;  // whose episode was closed in the end
  double ended_within = 0.0;   // share that did
  // By age; without knowing the age; ending at the same rate at any age.
  EndFigures by_age, unconditional, memoryless;
  // The share so far; by age, counted; and heads that learn as they go: what changes between
  // windows (the scores of the latest boundaries and how many interactions there are), what the
  // hierarchy says (that probability, age, children, interactions), both, and a relational graph
  // network over the episodes around, of levels that this takes in.
  HazardFigures fixed, counted, windows, hierarchy, both, relational;
  bool has_relational = false;
  std::int64_t next_forecasts = 0;
  // Share of next episodes whose busiest node was foretold: by what followed precedents, as the one
  // before, as the busiest of all so far.
  double next_by_precedents = 0.0, next_as_before = 0.0, next_as_overall = 0.0;
};

// One forecast, and what came.
struct ForecastRecord {
  std::int32_t level = 1;
  graph::TimeUs now_us = 0;
  // As in ForecastLevel: fixed, counted, windows, hierarchy, both, relational (or -1).
  std::array<double, 6> ends_within = {};
  bool ended_within = false;
};

struct ForecastResult {
  std::int64_t snapshots = 0;
  std::vector<ForecastRecord> records;  // if they are asked for, in the order of their ends
  std::vector<ForecastLevel> levels;    // of which anything was foretold
};

// `events` in time order, at least one.
ForecastResult EvaluateForecasts(const graph::EventBatch& events, const ForecastOptions& options);

}  // namespace weft::operators::hierarchy
