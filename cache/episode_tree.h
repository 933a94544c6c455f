// EpisodeTree: the hierarchy of what happened. Snapshots of a stream, with what is known of the
// boundaries between them (leaf_boundaries.h), become leaf episodes, these become episodes of level
// 2 (level_boundaries.h), and so on, each as soon as it is decided. What is decided never changes.
//
// An episode is open while it grows, one of each level; closed, or provisional, once its end is
// decided; final once its parent is.
//
// Read it through episode_view.h.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "cache/episode_ring.h"
#include "cache/episode_sums.h"
#include "cache/leaf_boundaries.h"
#include "cache/level_boundaries.h"

namespace weft::cache {

inline constexpr std::int32_t kMostLevels = 16;

struct EpisodeTreeOptions {
  // Of the leaves; each level above has half as many, but at least 1,024 or as many as the leaves.
  std::int64_t most_leaves = 1 << 16;
  std::int64_t most_words = 1 << 24;  // of the leaves' pair lists; halved in the same way
  // How long closed episodes of each level are kept, by their end; 0: as long as there is room.
  std::array<std::int64_t, kMostLevels> keep_us = {};
};

// Something that a snapshot brought about; episodes are still in the tree when it is told.
struct EpisodeChange {
  enum Kind : std::uint8_t { kOpened, kClosed, kFinal };
  Kind kind = kOpened;
  std::int32_t level = 1;
  std::int64_t number = 0;
  bool operator==(const EpisodeChange&) const = default;
};

// Episodes of a level follow each other without a gap, and each is made of whole ones of the level
// below. A parent is kept longer than its children. Thread-compatible.
class EpisodeTree {
 public:
  explicit EpisodeTree(const EpisodeTreeOptions& options, gpu::Memory memory = gpu::Memory::kHost);

  // The next snapshot, of times [begin_us, end_us), and the steps that LeafBoundaries decided when
  // it got it. Appends what changes, lower levels first.
  void Push(std::span<const NodePair> interactions, std::int64_t begin_us, std::int64_t end_us,
            std::span<const LeafStep> decided, std::vector<EpisodeChange>& changes);
  // No more snapshots will come; `decided` is what was left to decide. Closes what is open: a level
  // above the leaves is there if the one below has at least LevelBoundaries::kFewest episodes.
  void Finish(std::span<const LeafStep> decided, std::vector<EpisodeChange>& changes);

  std::int64_t snapshot_count() const { return snapshot_count_; }
  std::int64_t end_us() const { return end_us_; }       // of the latest snapshot
  std::int64_t begin_us() const { return origin_us_; }  // of the first one
  // Closed episodes; empty for a level that has none.
  const EpisodeRing& closed(std::int32_t level) const { return levels_[Index(level)].closed; }
  // Episodes of the level that have a parent, or are in the open one of the level above for sure.
  std::int64_t decided_count(std::int32_t level) const {
    return levels_[Index(level)].boundaries.decided_count();
  }
  // The score of the boundary at which the open episode begins.
  std::int64_t open_score(std::int32_t level) const { return levels_[Index(level)].open_score; }
  // Adds what the open leaf holds, snapshots included that may yet turn out to be of the next one.
  void AddOpenLeaf(EpisodeSums& sums) const;

  // Records of episodes and lists of pairs that were written or read so far.
  std::int64_t touched_records() const { return touched_records_; }
  std::int64_t bytes() const;

  // State to save, and to load into a tree with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.snapshot_count_);
    archive.Value(self.origin_us_);
    archive.Value(self.end_us_);
    archive.Value(self.best_us_);
    archive.Value(self.touched_records_);
    VisitUndecided(self, archive);
    EpisodeSums::VisitState(self.since_best_, archive);
    for (auto& level : self.levels_) {
      archive.Value(level.begin);
      archive.Value(level.begin_us);
      archive.Value(level.open_score);
      archive.Value(level.first_child);
      archive.Value(level.child_count);
      EpisodeSums::VisitState(level.sums, archive);
      LevelBoundaries::VisitState(level.boundaries, archive);
      EpisodeRing::VisitState(level.closed, archive);
    }
  }

 private:
  // Of the next step's snapshot or later.
  struct Undecided {
    std::int64_t begin_us = 0;
    std::vector<NodePair> interactions;
  };
  struct Level {
    Level(const EpisodeRing::Options& options, gpu::Memory memory) : closed(options, memory) {}
    EpisodeRing closed;
    // The open episode, as far as it is decided; of a leaf up to where it would best be cut.
    std::int64_t begin = 0, begin_us = 0, open_score = 0;
    std::int64_t first_child = 0, child_count = 0;
    EpisodeSums sums;
    LevelBoundaries boundaries;    // of the level above
    std::vector<LevelStep> steps;  // of these, at hand
  };
  static constexpr std::int64_t kMostUndecided = 1 << 14;
  static constexpr std::int64_t kMostInteractions = std::int64_t{1} << 32;  // of a snapshot

  template <class Self, class Archive>
  static void VisitUndecided(Self& self, Archive& archive) {
    std::int64_t count = self.snapshot_count_ - self.decided_snapshots_;
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(0 <= count && count <= std::min(kMostUndecided, self.snapshot_count_),
                    "snapshots of a stream");
      if (!archive.ok()) return;
      self.decided_snapshots_ = self.snapshot_count_ - count;
      self.undecided_.resize(std::bit_ceil(static_cast<std::size_t>(count) + 1));
    }
    for (std::int64_t i = self.snapshot_count_ - count; i < self.snapshot_count_; ++i) {
      auto& snapshot = self.undecided_[static_cast<std::size_t>(i) % self.undecided_.size()];
      archive.Value(snapshot.begin_us);
      archive.Array(snapshot.interactions, kMostInteractions);
    }
  }

  static std::size_t Index(std::int32_t level) { return static_cast<std::size_t>(level) - 1; }
  Undecided& UndecidedAt(std::int64_t snapshot) {
    return undecided_[static_cast<std::size_t>(snapshot) % undecided_.size()];
  }
  Undecided& AddUndecided();
  void Take(const LeafStep& step, std::vector<EpisodeChange>& changes);
  // Closes the open episode of `level` at a boundary, and those above that this closes.
  void Close(std::int32_t level, std::int64_t end, std::int64_t end_us, std::int64_t next_score,
             std::vector<EpisodeChange>& changes);
  // A step of an episode of `level`, for the level above.
  void TakeUp(std::int32_t level, const LevelStep& step, std::vector<EpisodeChange>& changes);
  void SettleChildren(std::int32_t level, const Episode& parent, std::int64_t number,
                      std::vector<EpisodeChange>& changes);
  void DropChildren(std::int32_t level);

  std::vector<Level> levels_;
  std::int64_t snapshot_count_ = 0;
  std::int64_t origin_us_ = 0, end_us_ = 0;
  std::int64_t decided_snapshots_ = 0;
  std::vector<Undecided> undecided_;  // a ring
  std::int64_t best_us_ = 0;          // where the open leaf would best be cut
  EpisodeSums since_best_;            // of the open leaf from there on
  std::vector<std::uint32_t> words_;  // of the pair list at hand
  std::int64_t touched_records_ = 0;
};

}  // namespace weft::cache
