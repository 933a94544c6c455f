// EpisodeView: an EpisodeTree as it is, or as it was when less of the stream was known. Boundaries
// never change once they are decided, so a past view is the present one without what was decided
// later.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "cache/episode_sums.h"
#include "cache/episode_tree.h"
#include "cache/salience.h"

namespace weft::cache {

enum class EpisodeState : std::uint8_t { kOpen, kProvisional, kFinal };

// Episodes [begin, end) of a level.
struct EpisodeRange {
  std::int32_t level = 1;
  std::int64_t begin = 0, end = 0;
  bool operator==(const EpisodeRange&) const = default;
};

// Valid until the tree changes. Levels from 1 to level_count(); numbers are those of the tree, the
// open episode of a level has the next one.
class EpisodeView {
 public:
  // The snapshot where an episode ends that was open in the past.
  static constexpr std::int64_t kUnknown = -1;

  explicit EpisodeView(const EpisodeTree& tree);
  // Only snapshots that ended by `as_of_us` are known; what was open then lacks the interactions of
  // the leaf that was.
  EpisodeView(const EpisodeTree& tree, std::int64_t as_of_us);

  // Levels that have an episode; 0 before the first snapshot.
  std::int32_t level_count() const { return level_count_; }
  // End of the latest snapshot that is known.
  std::int64_t known_until_us() const { return known_until_us_; }
  bool is_past() const { return is_past_; }

  // What is visible of a level, its open episode included; closed(level).end is the open one's.
  EpisodeRange All(std::int32_t level) const;
  EpisodeRange Closed(std::int32_t level) const;
  // Those whose parents are closed: final. They come first.
  EpisodeRange Final(std::int32_t level) const;

  EpisodeState StateOf(std::int32_t level, std::int64_t number) const;
  // Of an open one what is known so far. `salience` is against the parent so far, `parent` may be
  // open; none at the highest level.
  Episode Get(std::int32_t level, std::int64_t number) const;
  // Its pairs by slot.
  EpisodeSums Sums(std::int32_t level, std::int64_t number) const;
  std::int64_t Salience(std::int32_t level, std::int64_t number) const;
  // Its first snapshot.
  std::int64_t Begin(std::int32_t level, std::int64_t number) const;
  std::int64_t BeginUs(std::int32_t level, std::int64_t number) const;
  std::int64_t EndUs(std::int32_t level, std::int64_t number) const;
  // The score of the boundary at its begin.
  std::int64_t Score(std::int32_t level, std::int64_t number) const;
  // Its number on the level above; kUndecided at the highest level.
  std::int64_t Parent(std::int32_t level, std::int64_t number) const;
  // Its children on the level below; empty for a leaf. Some may no longer be kept: then the range
  // is of those that are.
  EpisodeRange Children(std::int32_t level, std::int64_t number) const;

  // Those with any time in [from_us, to_us).
  EpisodeRange Overlapping(std::int32_t level, std::int64_t from_us, std::int64_t to_us) const;
  // The one that is called so; none if there is none, or it is no longer kept.
  std::optional<EpisodeRange> Find(std::uint64_t id) const;

  const EpisodeTree& tree() const { return *tree_; }

 private:
  struct Level {
    std::int64_t closed_end = 0;  // of those visible
    std::int64_t final_end = 0;
    bool has_open = false;
    std::int64_t open_begin = 0, open_begin_us = 0, open_first_child = 0;
  };

  void AddLevels();
  const Level& At(std::int32_t level) const { return levels_[static_cast<std::size_t>(level) - 1]; }
  bool IsClosed(std::int32_t level, std::int64_t number) const {
    return number < At(level).closed_end;
  }
  EpisodeSums OpenSums(std::int32_t level) const;
  const PairMix& OpenMix(std::int32_t level) const;

  const EpisodeTree* tree_;
  bool is_past_ = false;
  std::int64_t known_until_us_ = 0;
  std::int32_t level_count_ = 0;
  std::array<Level, kMostLevels> levels_ = {};
  // Of open episodes; filled when first asked for.
  mutable std::array<std::unique_ptr<PairMix>, kMostLevels> open_mix_;
};

}  // namespace weft::cache
