// CoverageWindow: which score a candidate needs to be in a set that holds the next target with a
// wanted probability, from the scores that the latest targets had before they came.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::operators::link {

struct CoverageEstimate {
  static constexpr float kNoThreshold = -std::numeric_limits<float>::infinity();

  double coverage = 0.0;           // that was asked for
  float threshold = kNoThreshold;  // the set is the candidates with at least this score
  // Of the latest `events` targets, each against the threshold from those before it.
  std::int64_t events = 0;
  double held = 0.0;  // share that the sets held; 0 without events
};

// Split-conformal prediction (Vovk et al. 2005) on the latest kScores scores, whose level moves
// against what the sets missed or held too often (adaptive conformal inference, Gibbs and Candes
// 2021), so that it also follows a stream that changes. Keeps scores only and works out the rest
// when asked, 0.1 ms or so, so that any coverage can be asked for.
class CoverageWindow {
 public:
  static constexpr std::int64_t kScores = 512;

  // Finite; by PairScore::joint.
  void Add(float score);
  // For 0 < coverage < 1. Without a threshold while the past is too short to leave one out: every
  // candidate is in the set.
  CoverageEstimate At(double coverage) const;

  // Of scores, at most 2 kScores.
  std::int64_t size() const { return static_cast<std::int64_t>(ring_.size()); }

  absl::Status Save(std::string_view section, graph::CheckpointSink& sink) const;
  absl::Status Load(std::string_view section, graph::CheckpointSource& source);

 private:
  std::vector<float> ring_;
  std::uint64_t next_ = 0;  // of a full ring, the oldest
};

}  // namespace weft::operators::link
