#include "cache/episode_tree.h"

#include <utility>

#include "cache/salience.h"

namespace weft::cache {
namespace {

constexpr std::int64_t kFewestEpisodes = 1024;
constexpr std::int64_t kFewestTreeWords = 1 << 20;

}  // namespace

EpisodeTree::EpisodeTree(const EpisodeTreeOptions& options, gpu::Memory memory) : undecided_(1) {
  levels_.reserve(kMostLevels);
  for (std::size_t i = 0; i < kMostLevels; ++i) {
    const auto halved = [i](std::int64_t most, std::int64_t fewest) {
      return std::max(most >> i, std::min(most, fewest));
    };
    levels_.emplace_back(
        EpisodeRing::Options{.most_episodes = halved(options.most_leaves, kFewestEpisodes),
                             .most_words = halved(options.most_words, kFewestTreeWords),
                             .keep_us = options.keep_us[i]},
        memory);
  }
}

std::int64_t EpisodeTree::bytes() const {
  std::int64_t bytes = 0;
  for (const Level& level : levels_) bytes += level.closed.bytes();
  return bytes;
}

// The ring doubles when it is full; snapshots keep the memory of those that had their place before.
EpisodeTree::Undecided& EpisodeTree::AddUndecided() {
  const std::size_t size = undecided_.size();
  if (snapshot_count_ - decided_snapshots_ == static_cast<std::int64_t>(size)) {
    std::vector<Undecided> larger(2 * size);
    for (std::int64_t i = decided_snapshots_; i < snapshot_count_; ++i)
      larger[static_cast<std::size_t>(i) % larger.size()] = std::move(UndecidedAt(i));
    undecided_ = std::move(larger);
  }
  return UndecidedAt(snapshot_count_++);
}

void EpisodeTree::Push(std::span<const NodePair> interactions, std::int64_t begin_us,
                       std::int64_t end_us, std::span<const LeafStep> decided,
                       std::vector<EpisodeChange>& changes) {
  if (snapshot_count_ == 0) {
    origin_us_ = begin_us;
    for (Level& level : levels_) level.begin_us = begin_us;
    changes.push_back({EpisodeChange::kOpened, 1, 0});
  }
  Undecided& snapshot = AddUndecided();
  snapshot.begin_us = begin_us;
  snapshot.interactions.assign(interactions.begin(), interactions.end());
  end_us_ = end_us;
  for (const LeafStep& step : decided) Take(step, changes);
}

void EpisodeTree::Finish(std::span<const LeafStep> decided, std::vector<EpisodeChange>& changes) {
  if (snapshot_count_ == 0) return;
  for (const LeafStep& step : decided) Take(step, changes);
  levels_[0].sums.Add(since_best_);
  since_best_.Clear();
  Close(1, snapshot_count_, end_us_, 0, changes);
  for (std::int32_t level = 1; level < kMostLevels; ++level) {
    Level& here = levels_[Index(level)];
    if (here.boundaries.count() < LevelBoundaries::kFewest) return;
    std::vector<LevelStep> steps;
    here.boundaries.Finish(steps);
    for (const LevelStep& step : steps) TakeUp(level, step, changes);
    Close(level + 1, snapshot_count_, end_us_, 0, changes);
  }
}

void EpisodeTree::Take(const LeafStep& step, std::vector<EpisodeChange>& changes) {
  const Undecided& snapshot = UndecidedAt(decided_snapshots_);
  const bool best = step.kind == LeafStep::kBest || step.kind == LeafStep::kBestCut;
  if (best || step.kind == LeafStep::kBoundary) {
    levels_[0].sums.Add(since_best_);
    since_best_.Clear();
    best_us_ = snapshot.begin_us;
  }
  if (step.kind >= LeafStep::kBoundary) Close(1, step.boundary, best_us_, step.score, changes);
  since_best_.Add(snapshot.interactions);
  ++decided_snapshots_;
}

void EpisodeTree::Close(std::int32_t level, std::int64_t end, std::int64_t end_us,
                        std::int64_t next_score, std::vector<EpisodeChange>& changes) {
  Level& here = levels_[Index(level)];
  Episode episode;
  episode.begin = here.begin;
  episode.end = end;
  episode.begin_us = here.begin_us;
  episode.end_us = end_us;
  episode.decided_us = end_us_;
  episode.first_child = here.first_child;
  episode.child_count = level == 1 ? end - here.begin : here.child_count;
  episode.score = here.open_score;
  here.sums.Summarise(episode);
  words_.clear();
  AppendPairs(here.sums.pair_count(), words_);
  const std::int64_t number = here.closed.end();
  here.closed.Append(episode, words_, here.boundaries.decided_count());
  changes.push_back({EpisodeChange::kClosed, level, number});
  if (end < snapshot_count_) changes.push_back({EpisodeChange::kOpened, level, number + 1});
  if (level > 1) SettleChildren(level, episode, number, changes);
  DropChildren(level);
  here.sums.Clear();
  here.begin = end;
  here.begin_us = end_us;
  here.open_score = next_score;
  here.first_child += episode.child_count;
  here.child_count = 0;
  ++touched_records_;
  if (level == kMostLevels) return;
  here.steps.clear();
  here.boundaries.Push(words_, episode.interactions, here.steps);
  if (here.boundaries.count() == LevelBoundaries::kFewest)
    changes.push_back({EpisodeChange::kOpened, level + 1, 0});
  touched_records_ += 2 * LevelBoundaries::kBeside;
  for (const LevelStep& step : here.steps) TakeUp(level, step, changes);
}

void EpisodeTree::TakeUp(std::int32_t level, const LevelStep& step,
                         std::vector<EpisodeChange>& changes) {
  const EpisodeRing& closed = levels_[Index(level)].closed;
  const Episode& child = closed[step.number];
  if (step.is_boundary) Close(level + 1, child.begin, child.begin_us, step.score, changes);
  Level& above = levels_[Index(level + 1)];
  above.sums.Add(child, closed.PairsOf(child));
  ++above.child_count;
  ++touched_records_;
}

void EpisodeTree::SettleChildren(std::int32_t level, const Episode& parent, std::int64_t number,
                                 std::vector<EpisodeChange>& changes) {
  EpisodeRing& below = levels_[Index(level - 1)].closed;
  const PairMix mix(levels_[Index(level)].sums.pair_count());
  const std::int64_t end = parent.first_child + parent.child_count;
  for (std::int64_t child = std::max(parent.first_child, below.first()); child < end; ++child) {
    const Episode& episode = below[child];
    below.Settle(child, number, mix.Salience(below.PairsOf(episode), episode.interactions));
    changes.push_back({EpisodeChange::kFinal, level - 1, child});
    ++touched_records_;
  }
}

// Those whose parents have gone.
void EpisodeTree::DropChildren(std::int32_t level) {
  for (; level > 1; --level) {
    const EpisodeRing& parents = levels_[Index(level)].closed;
    EpisodeRing& below = levels_[Index(level - 1)].closed;
    if (parents.first() == parents.end()) return;
    const std::int64_t first = parents[parents.first()].first_child;
    if (first <= below.first()) return;
    below.DropBefore(first);
  }
}

void EpisodeTree::AddOpenLeaf(EpisodeSums& sums) const {
  sums.Add(levels_[0].sums);
  sums.Add(since_best_);
  for (std::int64_t i = decided_snapshots_; i < snapshot_count_; ++i)
    sums.Add(undecided_[static_cast<std::size_t>(i) % undecided_.size()].interactions);
}

}  // namespace weft::cache
