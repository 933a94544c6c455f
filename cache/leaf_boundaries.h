// LeafBoundaries: where the finest episodes of a stream of snapshots end: where the interactions of
// the snapshots before differ from those after, by who takes part in how many of them.
//
// Source: our own rule (two windows, a Poisson likelihood ratio, the local maximum); the paper on
// TimeGraphs (Maheshwari et al. 2024) leaves its rule open.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/likelihood_ratio.h"
#include "cache/peak_finder.h"

namespace weft::cache {

// Counts of one snapshot: interactions by source, then by target, each in kActorSlots slots.
inline constexpr std::int32_t kActorSlots = 64;
inline constexpr std::int32_t kProfileSlots = 2 * kActorSlots;

// The slot of a node. The first nodes of a stream, which are numbered from 0, have one each.
WEFT_HD std::uint32_t ActorSlot(std::uint32_t node) {
  if (node < kActorSlots) return node;
  return static_cast<std::uint32_t>(gpu::CounterHash(0x5eed, node, 0) % kActorSlots);
}

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

// Holds 2 * window + 2 snapshots. A step is known two windows after its snapshot. An episode of
// `longest` snapshots is cut where its score is highest.
class LeafBoundaries {
 public:
  explicit LeafBoundaries(const LeafOptions& options);

  // The next snapshot: kProfileSlots counts. Appends the steps that it decides.
  void Push(std::span<const std::uint32_t> profile, std::vector<LeafStep>& decided);
  // No more snapshots will come: appends what is left to decide.
  void Finish(std::vector<LeafStep>& decided);

  std::int64_t snapshot_count() const { return snapshot_count_; }
  std::int64_t threshold() const { return threshold_; }
  // The score of the boundary a window before the latest snapshot, decided or not; 0 before there
  // is one.
  std::int64_t latest_score() const;

  // State to save, and to load into boundaries with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.threshold_);
    archive.Fixed(self.ring_);
    archive.Fixed(self.before_);
    archive.Fixed(self.after_);
    archive.Value(self.snapshot_count_);
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
  std::span<std::uint32_t> ProfileOf(std::int64_t snapshot);
  void ScoreBoundary(std::int64_t snapshot, std::vector<LeafStep>& decided);
  std::int64_t ScoreNow(std::int64_t before, std::int64_t after) const;
  void FollowScores(std::int64_t score);
  void Decide(std::int64_t snapshot, std::vector<LeafStep>& decided);

  LeafOptions options_;
  std::int64_t threshold_;
  std::vector<std::uint32_t> ring_;  // profiles of the latest snapshots
  // Sums of the windows around the boundary that is scored next.
  std::vector<std::uint64_t> before_, after_;
  std::int64_t snapshot_count_ = 0;
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
