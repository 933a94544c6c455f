#include "cache/episode_levels.h"

#include <algorithm>

namespace weft::cache {

void EpisodeLevels::PairSums::Add(std::span<const std::uint16_t> slots) {
  for (const std::uint16_t slot : slots) ++count[slot];
  interactions += slots.size();
}

void EpisodeLevels::PairSums::MoveTo(PairSums& other) {
  for (std::size_t slot = 0; slot < count.size(); ++slot) other.count[slot] += count[slot];
  other.interactions += interactions;
  std::ranges::fill(count, 0);
  interactions = 0;
}

void EpisodeLevels::Push(std::span<const Interaction> interactions, std::int64_t begin_us,
                         std::vector<LevelEpisode>& closed) {
  if (leaf_.snapshot_count() == 0) begin_us_ = begin_us;
  std::ranges::fill(profile_, 0);
  Undecided& snapshot = undecided_.emplace_back();
  snapshot.begin_us = begin_us;
  snapshot.pair_slots.reserve(interactions.size());
  for (const Interaction& interaction : interactions) {
    ++profile_[ActorSlot(interaction.source)];
    ++profile_[kActorSlots + ActorSlot(interaction.target)];
    snapshot.pair_slots.push_back(
        static_cast<std::uint16_t>(PairSlot(interaction.source, interaction.target)));
  }
  steps_.clear();
  leaf_.Push(profile_, steps_);
  for (const LeafStep& step : steps_) Take(step, closed);
}

void EpisodeLevels::Finish(std::int64_t end_us, std::vector<LevelEpisode>& closed) {
  if (leaf_.snapshot_count() == 0) return;
  steps_.clear();
  leaf_.Finish(steps_);
  for (const LeafStep& step : steps_) Take(step, closed);
  since_best_.MoveTo(pairs_);
  CloseLeaf(leaf_.snapshot_count(), end_us, 0, closed);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    std::vector<ClosedEpisode> episodes;
    levels_[i].Finish(episodes);
    for (ClosedEpisode& episode : episodes)
      PushUp(static_cast<std::int32_t>(i) + 2, std::move(episode), closed);
  }
}

void EpisodeLevels::Take(const LeafStep& step, std::vector<LevelEpisode>& closed) {
  const std::int64_t snapshot_us = undecided_.front().begin_us;
  const bool best = step.kind == LeafStep::kBest || step.kind == LeafStep::kBestCut;
  if (best || step.kind == LeafStep::kBoundary) {
    since_best_.MoveTo(pairs_);
    best_us_ = snapshot_us;
  }
  if (step.kind >= LeafStep::kBoundary) CloseLeaf(step.boundary, best_us_, step.score, closed);
  since_best_.Add(undecided_.front().pair_slots);
  undecided_.pop_front();
}

void EpisodeLevels::CloseLeaf(std::int64_t boundary, std::int64_t boundary_us, std::int64_t score,
                              std::vector<LevelEpisode>& closed) {
  ClosedEpisode leaf;
  leaf.begin = begin_;
  leaf.end = boundary;
  leaf.begin_us = begin_us_;
  leaf.end_us = boundary_us;
  leaf.score = score_;
  leaf.children = boundary - begin_;
  leaf.interactions = pairs_.interactions;
  for (std::uint32_t slot = 0; slot < kPairSlots; ++slot)
    if (pairs_.count[slot] > 0) leaf.pairs.push_back({slot, pairs_.count[slot]});
  std::ranges::fill(pairs_.count, 0);
  pairs_.interactions = 0;
  begin_ = boundary;
  begin_us_ = boundary_us;
  score_ = score;
  PushUp(1, std::move(leaf), closed);
}

// A closed episode of `level`, and those above that it closes.
void EpisodeLevels::PushUp(std::int32_t level, ClosedEpisode episode,
                           std::vector<LevelEpisode>& closed) {
  closed.push_back({level, episode});
  if (level == kMostLevels) return;
  if (levels_.size() < static_cast<std::size_t>(level)) levels_.emplace_back();
  std::vector<ClosedEpisode> above;
  levels_[static_cast<std::size_t>(level) - 1].Push(std::move(episode), above);
  for (ClosedEpisode& one : above) PushUp(level + 1, std::move(one), closed);
}

}  // namespace weft::cache
