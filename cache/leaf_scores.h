// LeafScores: how much the interactions of the snapshots before each place of a stream differ from
// those behind it, by who takes part in how many of them: one Poisson rate for each actor in both
// windows, or two. What LeafBoundaries decides by, on the host or on a device, with the same bits.
//
// Kept are running sums of counts, so that a window of any length is the difference of two rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "cache/likelihood_ratio.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"

namespace weft::cache {

// Counts of one snapshot: interactions by source, then by target, each in kActorSlots slots.
inline constexpr std::int32_t kActorSlots = 64;
inline constexpr std::int32_t kProfileSlots = 2 * kActorSlots;

// The slot of a node. The first nodes of a stream, which are numbered from 0, have one each.
WEFT_HD std::uint32_t ActorSlot(std::uint32_t node) {
  if (node < kActorSlots) return node;
  return static_cast<std::uint32_t>(gpu::CounterHash(0x5eed, node, 0) % kActorSlots);
}

// The interactions of snapshots that follow each other: where those of each end in `pairs`; those
// of the first begin at `begin`.
struct SnapshotPairs {
  std::span<const NodePair> pairs;
  std::size_t begin = 0;
  std::span<const std::size_t> end;

  std::int64_t size() const { return static_cast<std::int64_t>(end.size()); }
  // Snapshots [from, from + count) of them.
  SnapshotPairs Part(std::int64_t from, std::int64_t count) const {
    const auto at = static_cast<std::size_t>(from);
    return {pairs, at == 0 ? begin : end[at - 1], end.subspan(at, static_cast<std::size_t>(count))};
  }
};

struct LeafScoreArguments;

// Holds 2 * window + kMostAtOnce + 1 rows of 1 KB. Thread-compatible.
class LeafScores {
 public:
  // Snapshots and scores of one call.
  static constexpr std::int64_t kMostAtOnce = 256;

  LeafScores(std::int32_t window, const gpu::Exec& exec);

  // The next snapshots.
  void Add(const SnapshotPairs& snapshots);
  // Scores of the boundaries before snapshots [begin, begin + count), in standard deviations above
  // chance, in units of 2^-24: `window` snapshots, or as many as there are, on each side; kNoScore
  // where that is less than half of a window. `begin` is not more than a window before the
  // snapshots that the latest call added. Valid until the next call.
  std::span<const std::int64_t> Of(std::int64_t begin, std::int64_t count);

  std::int64_t snapshot_count() const { return snapshot_count_; }

  // State to save, and to load into scores with the same window.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.snapshot_count_);
    if constexpr (Archive::kLoads) archive.Check(self.snapshot_count_ >= 0, "a count of snapshots");
    std::vector<std::uint64_t> rows(static_cast<std::size_t>(2 * self.window_ + 1) * kProfileSlots);
    if constexpr (Archive::kLoads) {
      archive.Fixed(rows);
      if (archive.ok()) self.PutLatestRows(rows);
    } else {
      self.GetLatestRows(rows);
      archive.Fixed(rows);
    }
  }

 private:
  LeafScoreArguments Arguments();
  void GetLatestRows(std::span<std::uint64_t> rows) const;
  void PutLatestRows(std::span<const std::uint64_t> rows);

  gpu::Exec exec_;
  std::int64_t window_;
  std::int64_t places_;
  std::int64_t snapshot_count_ = 0;
  gpu::Buffer<std::uint64_t> sums_;  // a ring of rows; row t: of all snapshots before the t-th
  gpu::Buffer<std::uint32_t> counts_;
  gpu::Buffer<std::int64_t> scores_;
  // Where a device can read it; empty on the host.
  gpu::Buffer<NodePair> pairs_;
  gpu::Buffer<std::size_t> pairs_end_;
  gpu::Buffer<std::int64_t> entropy_;
};

// ------------------------------------------------------------------------------------------------
// kernels

struct LeafScoreArguments {
  std::int64_t window;
  std::uint64_t* sums;  // [places x kProfileSlots]
  std::int64_t places;
  std::int64_t snapshot_count;  // of CountActors and AddUpActors: before these
  std::uint32_t* counts;        // [snapshots x kProfileSlots]
  // Of CountActors.
  const NodePair* pairs;
  std::size_t pairs_begin;
  const std::size_t* pairs_end;
  // Of ScoreBoundaries.
  CountEntropy entropy;
  std::int64_t first;  // boundary of index 0
  std::int64_t* score;
};

template <class E>
void CountActorsOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments);
template <class E>
void AddUpActorsOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments);
template <class E>
void ScoreBoundariesOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments);

}  // namespace weft::cache
