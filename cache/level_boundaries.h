// LevelBoundaries: episodes of one level from the closed episodes of the level below: where what
// interacts with what changes, however much of it there is.
//
// Source: our own rule, as in leaf_boundaries.h; that what a level sends up is one summary for each
// closed event is from STREAMER (Mounir, Vijayaraghavan, Sarkar 2023).
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "cache/likelihood_ratio.h"
#include "cache/peak_finder.h"

namespace weft::cache {

// Slots that pairs of nodes are counted in.
inline constexpr std::int32_t kPairSlots = 1024;

WEFT_HD std::uint32_t PairSlot(std::uint32_t source, std::uint32_t target) {
  return static_cast<std::uint32_t>(gpu::CounterHash(0xed9e, source, target) % kPairSlots);
}

struct PairCount {
  std::uint32_t slot = 0;
  std::uint64_t count = 0;
  bool operator==(const PairCount&) const = default;
};

// An interval of snapshots that is over. Scores of leaves are those of LeafStep, of higher levels
// in units of 2^-48.
struct ClosedEpisode {
  std::int64_t begin = 0, end = 0;        // snapshots [begin, end)
  std::int64_t begin_us = 0, end_us = 0;  // times [begin_us, end_us)
  std::int64_t score = 0;     // of the boundary at `begin`; 0 for the first episode of a level
  std::int64_t children = 0;  // episodes of the level below; snapshots of a leaf
  std::uint64_t interactions = 0;
  std::vector<PairCount> pairs;  // of slots with any, by slot
  bool operator==(const ClosedEpisode&) const = default;
};

// A boundary lies between two episodes of the level below where the mixes of pairs of the `kBeside`
// episodes on each side differ most, of all boundaries that share one of these. It is known
// 2 kBeside - 1 episodes later. Holds 3 kBeside episodes.
class LevelBoundaries {
 public:
  static constexpr std::int32_t kBeside = 3;
  // Episodes below that a level needs before it has any of its own.
  static constexpr std::int64_t kFewest = 2 * kBeside;

  // The next closed episode of the level below. Appends the episodes that it closes on this level.
  void Push(ClosedEpisode episode, std::vector<ClosedEpisode>& closed);
  // No more will come: closes what is open. Nothing if fewer than kFewest came.
  void Finish(std::vector<ClosedEpisode>& closed);

 private:
  const ClosedEpisode& Below(std::int64_t number) const;
  std::int64_t ScoreOf(std::int64_t boundary) const;
  void Score(std::int64_t boundary, std::vector<ClosedEpisode>& closed);
  void Decide(std::int64_t boundary, std::vector<ClosedEpisode>& closed);
  void Take(const ClosedEpisode& episode);
  void Close(std::vector<ClosedEpisode>& closed);

  std::deque<ClosedEpisode> below_;  // the latest of the level below, from `first_` on
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;    // of the level below so far
  std::int64_t decided_ = 0;  // boundaries that were decided; boundary i lies before episode i
  PeakFinder peaks_{kBeside - 1};
  ClosedEpisode open_;
  std::vector<std::uint64_t> open_pairs_ = std::vector<std::uint64_t>(kPairSlots);
};

}  // namespace weft::cache
