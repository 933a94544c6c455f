// Bodies of LeafScores. Counts and scores are integers, and of a snapshot or a boundary one index
// or tile, so that no result depends on the order of anything.
#include "cache/leaf_scores.h"
#include "cache/peak_finder.h"
#include "gpu/launch.h"

namespace weft::cache {
namespace {

struct CountActors {
  LeafScoreArguments a;

  WEFT_HD void operator()(std::int64_t i) const {
    std::uint32_t* const counts = a.counts + i * kProfileSlots;
    for (std::int32_t slot = 0; slot < kProfileSlots; ++slot) counts[slot] = 0;
    const std::size_t begin = i == 0 ? a.pairs_begin : a.pairs_end[i - 1];
    for (std::size_t p = begin; p < a.pairs_end[i]; ++p) {
      ++counts[ActorSlot(a.pairs[p].source)];
      ++counts[kActorSlots + ActorSlot(a.pairs[p].target)];
    }
  }
};

// A tile has some of the slots of all snapshots.
struct AddUpActors {
  LeafScoreArguments a;
  std::int64_t count;

  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t first = i * kSlots;
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t snapshot = a.snapshot_count + t;
      const std::uint64_t* const before = a.sums + snapshot % a.places * kProfileSlots + first;
      std::uint64_t* const after = a.sums + (snapshot + 1) % a.places * kProfileSlots + first;
      const std::uint32_t* const counts = a.counts + t * kProfileSlots + first;
      tile.Each(kSlots, [&](std::int64_t d) { after[d] = before[d] + counts[d]; });
    }
  }

  static constexpr std::int64_t kSlots = 32;
};

struct Compared {
  std::int64_t log_ratio = 0, slots = 0;
  std::uint64_t before = 0, after = 0;

  WEFT_HD Compared operator+(const Compared& other) const {
    return {log_ratio + other.log_ratio, slots + other.slots, before + other.before,
            after + other.after};
  }
};

struct ScoreBoundary {
  LeafScoreArguments a;

  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t at = a.first + i;
    const std::int64_t begin = at < a.window ? 0 : at - a.window;
    const std::int64_t end = a.snapshot_count - at < a.window ? a.snapshot_count : at + a.window;
    if (2 * (at - begin) < a.window || 2 * (end - at) < a.window) {
      tile.Once([&] { a.score[i] = kNoScore; });
      return;
    }
    const std::uint64_t* const from = a.sums + begin % a.places * kProfileSlots;
    const std::uint64_t* const here = a.sums + at % a.places * kProfileSlots;
    const std::uint64_t* const to = a.sums + end % a.places * kProfileSlots;
    const CountEntropy& entropy = a.entropy;
    const auto compared = tile.template Total<Compared>(kProfileSlots, [&](std::int64_t d) {
      const std::uint64_t before = here[d] - from[d], after = to[d] - here[d];
      return Compared{entropy(before) + entropy(after) - entropy(before + after),
                      before + after > 0 ? 1 : 0, before, after};
    });
    tile.Once([&] {
      const auto both = static_cast<std::uint64_t>(end - begin);
      const std::int64_t log_ratio =
          compared.log_ratio +
          CountTimesLogRatio(compared.before, both, static_cast<std::uint64_t>(at - begin)) +
          CountTimesLogRatio(compared.after, both, static_cast<std::uint64_t>(end - at));
      a.score[i] = DeviationsAboveChance(log_ratio, compared.slots);
    });
  }
};

}  // namespace

template <class E>
void CountActorsOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments) {
  gpu::ForEachIndex(gpu::WithGrain(exec, 64), count, CountActors{arguments});
}

template <class E>
void AddUpActorsOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments) {
  gpu::ForEachTile(exec, kProfileSlots / AddUpActors::kSlots, AddUpActors{arguments, count});
}

template <class E>
void ScoreBoundariesOn(const E& exec, std::int64_t count, const LeafScoreArguments& arguments) {
  gpu::ForEachTile(gpu::WithGrain(exec, 4096), count, ScoreBoundary{arguments});
}

template void CountActorsOn(const gpu::BuildExec&, std::int64_t, const LeafScoreArguments&);
template void AddUpActorsOn(const gpu::BuildExec&, std::int64_t, const LeafScoreArguments&);
template void ScoreBoundariesOn(const gpu::BuildExec&, std::int64_t, const LeafScoreArguments&);

}  // namespace weft::cache
