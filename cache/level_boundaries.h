// LevelBoundaries: where the episodes of one level end, from the closed episodes of the level
// below: where what interacts with what changes, however much of it there is.
//
// Source: our own rule, as in leaf_boundaries.h; that what a level sends up is one summary for each
// closed event is from STREAMER (Mounir, Vijayaraghavan, Sarkar 2023).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cache/pair_list.h"
#include "cache/peak_finder.h"

namespace weft::cache {

// What is known of the boundary before an episode of the level below, one for each, in order.
struct LevelStep {
  std::int64_t number = 0;   // of the episode below
  bool is_boundary = false;  // an episode of this level ends before it
  std::int64_t score = 0;    // of a boundary: nats an interaction, in units of 2^-48
  bool operator==(const LevelStep&) const = default;
};

// A boundary lies between two episodes of the level below where the mixes of pairs of the `kBeside`
// episodes on each side differ most, of all boundaries that share one of these. It is known
// 2 kBeside - 1 episodes later. Holds the pairs of 2 kBeside episodes.
class LevelBoundaries {
 public:
  static constexpr std::int32_t kBeside = 3;
  // Episodes below that a level needs before it has any of its own.
  static constexpr std::int64_t kFewest = 2 * kBeside;

  // The next closed episode of the level below: its pair list and all its interactions. Appends the
  // steps that it decides.
  void Push(std::span<const std::uint32_t> pairs, std::uint64_t interactions,
            std::vector<LevelStep>& decided);
  // No more will come: appends what is left to decide.
  void Finish(std::vector<LevelStep>& decided);

  // Episodes of the level below so far, and how many of them have had their step.
  std::int64_t count() const { return count_; }
  std::int64_t decided_count() const { return decided_count_; }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& below : self.below_) {
      archive.Array(below.pairs, kMostWords);
      archive.Value(below.interactions);
    }
    archive.Value(self.count_);
    archive.Value(self.decided_count_);
    PeakFinder::VisitState(self.peaks_, archive);
    if constexpr (Archive::kLoads)
      archive.Check(0 <= self.decided_count_ && self.decided_count_ <= self.peaks_.size() &&
                        self.peaks_.size() <= self.count_,
                    "counts of one level");
  }

 private:
  // More than a list of 64-bit counts has.
  static constexpr std::uint64_t kMostWords = 3 * kPairSlots;

  struct Below {
    std::vector<std::uint32_t> pairs;
    std::uint64_t interactions = 0;
  };
  struct Side {
    std::array<std::uint64_t, kPairSlots> count = {};
    std::uint64_t interactions = 0;
  };

  void AddTo(Side& side, std::int64_t begin, std::int64_t end) const;
  std::int64_t ScoreOf(std::int64_t boundary) const;
  void Score(std::int64_t boundary, std::vector<LevelStep>& decided);
  void Decide(std::int64_t boundary, std::vector<LevelStep>& decided);

  std::array<Below, 2 * kBeside> below_;  // the latest of the level below
  std::int64_t count_ = 0;
  std::int64_t decided_count_ = 0;  // boundary i lies before episode i
  PeakFinder peaks_{kBeside - 1};
};

}  // namespace weft::cache
