// EpisodeLevels: the hierarchy of what happened: snapshots of a stream become leaf episodes
// (leaf_boundaries.h), these become episodes of level 2 (level_boundaries.h), and so on, each as
// soon as it is decided.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "cache/leaf_boundaries.h"
#include "cache/level_boundaries.h"

namespace weft::cache {

struct Interaction {
  std::uint32_t source = 0;
  std::uint32_t target = 0;
};

struct LevelEpisode {
  std::int32_t level = 1;  // 1: leaves
  ClosedEpisode episode;
  bool operator==(const LevelEpisode&) const = default;
};

// Episodes of each level follow each other without a gap, and each is made of whole ones of the
// level below. Holds the interactions of two windows of snapshots, and of each level 9 episodes.
// Thread-compatible.
class EpisodeLevels {
 public:
  static constexpr std::int32_t kMostLevels = 16;

  explicit EpisodeLevels(const LeafOptions& options) : leaf_(options), pairs_(kPairSlots) {}

  // The next snapshot, which begins at `begin_us`, not before the last one. Appends the episodes
  // that it closes, lower levels first.
  void Push(std::span<const Interaction> interactions, std::int64_t begin_us,
            std::vector<LevelEpisode>& closed);
  // No more snapshots will come; the last one ends at `end_us`. A level above the leaves is there
  // if the one below has at least LevelBoundaries::kFewest episodes.
  void Finish(std::int64_t end_us, std::vector<LevelEpisode>& closed);

  std::int64_t snapshot_count() const { return leaf_.snapshot_count(); }

 private:
  // Of the boundary's snapshot or later, not yet part of an episode.
  struct Undecided {
    std::int64_t begin_us = 0;
    std::vector<std::uint16_t> pair_slots;
  };
  // Counts of a part of the open leaf.
  struct PairSums {
    explicit PairSums(std::int32_t slots) : count(static_cast<std::size_t>(slots)) {}
    void Add(std::span<const std::uint16_t> slots);
    void MoveTo(PairSums& other);
    std::vector<std::uint64_t> count;
    std::uint64_t interactions = 0;
  };

  void Take(const LeafStep& step, std::vector<LevelEpisode>& closed);
  void CloseLeaf(std::int64_t boundary, std::int64_t boundary_us, std::int64_t score,
                 std::vector<LevelEpisode>& closed);
  void PushUp(std::int32_t level, ClosedEpisode episode, std::vector<LevelEpisode>& closed);

  LeafBoundaries leaf_;
  std::vector<std::uint32_t> profile_ = std::vector<std::uint32_t>(kProfileSlots);
  std::vector<LeafStep> steps_;
  std::deque<Undecided> undecided_;  // from the snapshot of the next step on
  // The open leaf: up to where it would best be cut, and from there.
  std::int64_t begin_ = 0, begin_us_ = 0, score_ = 0;
  std::int64_t best_us_ = 0;
  PairSums pairs_, since_best_{kPairSlots};
  std::vector<LevelBoundaries> levels_;  // levels_[0] draws level 2
};

}  // namespace weft::cache
