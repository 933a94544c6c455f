// How well it is known with whom each node will be busy next, from counts of its past targets over
// fixed windows and over open episodes (`weft eval partners`): whether the hierarchy says more than
// windows do. What each figure is: docs/hierarchy.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cache/leaf_boundaries.h"
#include "graph/event_batch.h"
#include "operators/hierarchy/snapshots.h"

namespace weft::operators::hierarchy {

// Stretches of the past that end now: fixed ones, and from where the open episode of a level began
// as far as it is known.
enum PastStretch : std::size_t {
  kLast5Seconds,
  kLast30Seconds,
  kLast2Minutes,
  kLast10Minutes,
  kOpenLeaf,
  kOpenParent,
  kOpenGrandparent,
  kAllPast,
  kPastStretches,
};
std::string_view NameOf(PastStretch stretch);

// Ways to mix the shares that a node's targets had in several stretches; weights are learned as
// moments pass, one set for all nodes, by how likely each stretch made what came (an online EM).
enum PartnerMix : std::size_t {
  kWindowMix,     // the fixed ones and all
  kHierarchyMix,  // the shortest, the open ones and all
  kEveryMix,      // everything
  kPartnerMixes,
};
std::string_view NameOf(PartnerMix mix);

struct PartnerOptions {
  SnapshotOptions snapshots;
  cache::LeafOptions leaf;
  graph::TimeUs every_us = 10'000'000;  // between two moments
  graph::TimeUs horizon_us = 10'000'000;
};

// Of one moment: nodes that are the source of anything within the horizon, and for how many the
// target that they had most then (of equal ones the first by number) was named.
struct PartnerMoment {
  graph::TimeUs now_us = 0;
  std::int64_t nodes = 0;
  std::array<std::int64_t, kPastStretches> by_stretch = {};
  std::array<std::int64_t, kPartnerMixes> by_mix = {};
};

struct PartnerResult {
  std::vector<PartnerMoment> moments;
  std::array<std::array<double, kPastStretches>, kPartnerMixes> weight = {};  // in the end
};

// `events` in time order, at least one. Each moment is foretold from events before it alone.
PartnerResult EvaluatePartners(const graph::EventBatch& events, const PartnerOptions& options);

}  // namespace weft::operators::hierarchy
