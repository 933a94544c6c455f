// How well the episodes of a stream of events agree with boundaries that are known (`weft eval
// segments`). What each figure is: docs/hierarchy.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/hierarchy/boundary_match.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/io/time_text.h"

namespace weft::operators::hierarchy {

struct TrueBoundary {
  graph::TimeUs time_us = 0;
  std::int32_t level = 1;  // 1: fine; a boundary of a level is one of all finer levels too
};

// CSV with the columns `time` and `level`. INVALID_ARGUMENT with file and line.
absl::StatusOr<std::vector<TrueBoundary>> ParseTruth(std::string_view text, std::string_view path,
                                                     io::TimeUnit unit);

struct SegmentOptions {
  SnapshotOptions snapshots;
  cache::LeafOptions leaf;
  // Snapshots between a found and a true boundary of level 1, at most; of level n, n times that.
  std::int64_t tolerance = 10;
};

struct SegmentMatch {
  BoundaryFigures figures;
  // With a tolerance of a twentieth of the stream, as GEBD does (Shou et al. 2021).
  double gebd_f1 = 0.0;
};

struct SegmentLevel {
  std::int32_t level = 1;
  std::int64_t episodes = 0;
  double mean_snapshots = 0.0;
  // None where no true boundary has the level.
  std::optional<SegmentMatch> found;
  // As many boundaries as there are true ones: equally far apart, and drawn (the mean of 20 draws).
  std::optional<SegmentMatch> uniform, random;
  // The leaf boundaries with the highest scores, as many as this level has; for levels from 2 on.
  std::optional<SegmentMatch> flat;
};

struct SegmentResult {
  std::int64_t snapshots = 0;
  std::vector<SegmentLevel> levels;
  // Snapshots between a leaf boundary and the snapshot that decides it, in the mean; 0 without any.
  double decision_latency_snapshots = 0.0;
  double cpu_seconds = 0.0;  // of building the hierarchy
};

// `events` in time order, at least one; `truth` in any order, may be empty. Times outside the
// events are left out.
SegmentResult EvaluateSegments(const graph::EventBatch& events,
                               const std::vector<TrueBoundary>& truth,
                               const SegmentOptions& options);

}  // namespace weft::operators::hierarchy
