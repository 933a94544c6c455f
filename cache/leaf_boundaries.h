// LeafBoundaries: where the finest episodes of a stream of snapshots end: where the interactions of
// the snapshots before differ from those after, by who takes part in how many of them.
//
// Source: our own rule (two windows, a Poisson likelihood ratio, the local maximum); the paper on
// TimeGraphs (Maheshwari et al. 2024) leaves its rule open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cache/leaf_scores.h"
#include "cache/likelihood_ratio.h"
#include "cache/peak_finder.h"
#include "gpu/exec.h"

namespace weft::cache {

struct LeafOptions {
  std::int32_t window = 16;  // snapshots on each side of a boundary; 2 to 1,024
  // A boundary needs a score of so many standard deviations above chance, in units of 2^-24.
  std::int64_t threshold = 4 * kLikelihoodOne;
  // If above 0, the share of scores that lie below the threshold, which then follows the stream:
  // for streams whose counts hang together over time, so that chance is no measure. It moves when
  // the scores have doubled, the first time after 1,000; `threshold` is for those before.
  float threshold_quantile = 0.0f;
  std::int64_t longest = 4096;  // snapshots; at least 4 windows
};

// What is known of the boundary before a snapshot, one for each snapshot, in order.
struct LeafStep {
  enum Kind : std::uint8_t {
    kInside,    // no episode ends here
    kBest,      // nor here, but so far this is where the open episode would best be cut
    kBoundary,  // an episode ends before this snapshot
    kCut,       // kInside, and the open episode is too long: it ends before its best boundary
    kBestCut,   // kBest, and the same: it ends before this snapshot
  };
  Kind kind = kInside;
  std::int64_t snapshot = 0;
  std::int64_t boundary = 0;  // of kBoundary and the cuts: the first snapshot of the new episode
  std::int64_t score = 0;     // of that: standard deviations above chance, in units of 2^-24
  bool operator==(const LeafStep&) const = default;
};

// What is decided when snapshots come.
struct LeafDecisions {
  std::vector<LeafStep> steps;
  // Of each snapshot: where the steps that it decides end, and latest_score() once it is there.
  std::vector<std::size_t> steps_end;
  std::vector<std::int64_t> latest_score;

  std::span<const LeafStep> StepsOf(std::int64_t row) const {
    const auto at = static_cast<std::size_t>(row);
    const std::size_t first = at == 0 ? 0 : steps_end[at - 1];
    return std::span(steps).subspan(first, steps_end[at] - first);
  }
};

// A step is known two windows after its snapshot. An episode of `longest` snapshots is cut where
// its score is highest. Scores are computed on `exec`.
class LeafBoundaries {
 public:
  explicit LeafBoundaries(const LeafOptions& options, const gpu::Exec& exec = gpu::HostExec());

  // The next snapshots. Appends what they decide, the same for any number of them at once.
  void Push(const SnapshotPairs& snapshots, LeafDecisions& decided);
  // No more snapshots will come: appends what is left to decide.
  void Finish(std::vector<LeafStep>& decided);

  std::int64_t snapshot_count() const { return scores_.snapshot_count(); }
  std::int64_t threshold() const { return threshold_; }
  // The score of the boundary a window before the latest snapshot, decided or not; 0 before there
  // is one.
  std::int64_t latest_score() const;

  // State to save, and to load into boundaries with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.threshold_);
    LeafScores::VisitState(self.scores_, archive);
    PeakFinder::VisitState(self.peaks_, archive);
    archive.Value(self.decided_count_);
    archive.Value(self.begin_);
    archive.Value(self.best_);
    archive.Value(self.best_score_);
    archive.Fixed(self.score_histogram_);
    archive.Value(self.scores_followed_);
    archive.Value(self.next_move_);
    if constexpr (Archive::kLoads) archive.Check(self.IsWhole(), "counts of one stream");
  }

 private:
  bool IsWhole() const;
  void PushPart(const SnapshotPairs& snapshots, LeafDecisions& decided);
  void Take(std::int64_t score, std::vector<LeafStep>& decided);
  void FollowScores(std::int64_t score);
  void Decide(std::int64_t snapshot, std::vector<LeafStep>& decided);

  LeafOptions options_;
  std::int64_t threshold_;
  LeafScores scores_;
  PeakFinder peaks_;
  std::int64_t decided_count_ = 0;  // scores that were decided
  std::int64_t begin_ = 0;          // of the open episode
  std::int64_t best_ = 0;           // where it would best be cut
  std::int64_t best_score_;
  std::vector<std::int64_t> score_histogram_;
  std::int64_t scores_followed_ = 0;
  std::int64_t next_move_ = 1000;
};

}  // namespace weft::cache
