#include "cache/level_boundaries.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "gpu/host_device.h"

namespace weft::cache {
namespace {

constexpr std::int64_t kNoScore = std::numeric_limits<std::int64_t>::min();

}  // namespace

const ClosedEpisode& LevelBoundaries::Below(std::int64_t number) const {
  return below_[static_cast<std::size_t>(number - first_)];
}

void LevelBoundaries::Push(ClosedEpisode episode, std::vector<ClosedEpisode>& closed) {
  below_.push_back(std::move(episode));
  ++count_;
  if (count_ >= kBeside) Score(count_ - kBeside, closed);
}

void LevelBoundaries::Finish(std::vector<ClosedEpisode>& closed) {
  if (count_ < kFewest) return;
  for (std::int64_t boundary = peaks_.size(); boundary < count_; ++boundary)
    Score(boundary, closed);
  while (decided_ < count_) Decide(decided_, closed);
  Close(closed);
}

void LevelBoundaries::Score(std::int64_t boundary, std::vector<ClosedEpisode>& closed) {
  peaks_.Push(boundary == 0 ? kNoScore : ScoreOf(boundary));
  if (decided_ + peaks_.radius() < peaks_.size()) Decide(decided_, closed);
}

// The log likelihood ratio of one mix of pairs on both sides against two, less what it comes to in
// the mean where both are the same (half for each slot that has any), for each interaction of half
// the harmonic mean of both: neither a rate matters, nor how much there was to count.
std::int64_t LevelBoundaries::ScoreOf(std::int64_t boundary) const {
  std::array<std::uint64_t, kPairSlots> before = {}, after = {};
  std::uint64_t all_before = 0, all_after = 0;
  const auto add = [this](std::int64_t begin, std::int64_t end, auto& to, std::uint64_t& all) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (const PairCount& pair : Below(i).pairs) to[pair.slot] += pair.count;
      all += Below(i).interactions;
    }
  };
  add(std::max<std::int64_t>(0, boundary - kBeside), boundary, before, all_before);
  add(boundary, std::min(count_, boundary + kBeside), after, all_after);
  if (all_before == 0 || all_after == 0) return 0;
  std::int64_t log_ratio = CountEntropy::Compute(all_before + all_after) -
                           CountEntropy::Compute(all_before) - CountEntropy::Compute(all_after);
  for (std::size_t slot = 0; slot < kPairSlots; ++slot) {
    const std::uint64_t a = before[slot], b = after[slot];
    if (a + b > 0) log_ratio -= kLikelihoodOne / 2;
    if (a == 0 || b == 0) continue;  // then the terms cancel
    log_ratio += CountEntropy::Compute(a) + CountEntropy::Compute(b) - CountEntropy::Compute(a + b);
  }
  const auto harmonic = static_cast<gpu::UnsignedInt128>(all_before) * all_after;
  return static_cast<std::int64_t>(static_cast<gpu::Int128>(log_ratio) *
                                   static_cast<std::int64_t>(all_before + all_after) *
                                   kLikelihoodOne / static_cast<gpu::Int128>(harmonic));
}

void LevelBoundaries::Decide(std::int64_t boundary, std::vector<ClosedEpisode>& closed) {
  ++decided_;
  if (boundary > 0 && peaks_.IsPeak(boundary)) {
    const std::int64_t score = peaks_.score(boundary);
    Close(closed);
    open_.score = score;
  }
  Take(Below(boundary));
  // Scores to come look back kBeside episodes, this many behind the decision.
  while (first_ + kBeside + peaks_.radius() < decided_) {
    below_.pop_front();
    ++first_;
  }
}

void LevelBoundaries::Take(const ClosedEpisode& episode) {
  if (open_.children == 0) {
    open_.begin = episode.begin;
    open_.begin_us = episode.begin_us;
  }
  open_.end = episode.end;
  open_.end_us = episode.end_us;
  ++open_.children;
  open_.interactions += episode.interactions;
  for (const PairCount& pair : episode.pairs) open_pairs_[pair.slot] += pair.count;
}

void LevelBoundaries::Close(std::vector<ClosedEpisode>& closed) {
  if (open_.children == 0) return;
  for (std::uint32_t slot = 0; slot < kPairSlots; ++slot)
    if (open_pairs_[slot] > 0) open_.pairs.push_back({slot, open_pairs_[slot]});
  closed.push_back(std::move(open_));
  open_ = {};
  std::ranges::fill(open_pairs_, 0);
}

}  // namespace weft::cache
