#include "cache/level_boundaries.h"

#include <algorithm>

#include "cache/likelihood_ratio.h"

namespace weft::cache {
void LevelBoundaries::Push(std::span<const std::uint32_t> pairs, std::uint64_t interactions,
                           std::vector<LevelStep>& decided) {
  Below& below = below_[static_cast<std::size_t>(count_) % below_.size()];
  below.pairs.assign(pairs.begin(), pairs.end());
  below.interactions = interactions;
  ++count_;
  if (count_ >= kBeside) Score(count_ - kBeside, decided);
}

void LevelBoundaries::Finish(std::vector<LevelStep>& decided) {
  for (std::int64_t boundary = peaks_.size(); boundary < count_; ++boundary)
    Score(boundary, decided);
  while (decided_count_ < count_) Decide(decided_count_, decided);
}

void LevelBoundaries::Score(std::int64_t boundary, std::vector<LevelStep>& decided) {
  peaks_.Push(boundary == 0 ? kNoScore : ScoreOf(boundary));
  if (decided_count_ + peaks_.radius() < peaks_.size()) Decide(decided_count_, decided);
}

void LevelBoundaries::AddTo(Side& side, std::int64_t begin, std::int64_t end) const {
  for (std::int64_t i = begin; i < end; ++i) {
    const Below& below = below_[static_cast<std::size_t>(i) % below_.size()];
    ForEachPair(below.pairs,
                [&side](std::uint32_t slot, std::uint64_t count) { side.count[slot] += count; });
    side.interactions += below.interactions;
  }
}

// The log likelihood ratio of one mix of pairs on both sides against two, less what it comes to in
// the mean where both are the same (half for each slot that has any), for each interaction of half
// the harmonic mean of both: neither a rate matters, nor how much there was to count.
std::int64_t LevelBoundaries::ScoreOf(std::int64_t boundary) const {
  Side before, after;
  AddTo(before, std::max<std::int64_t>(0, boundary - kBeside), boundary);
  AddTo(after, boundary, std::min(count_, boundary + kBeside));
  const std::uint64_t both = before.interactions + after.interactions;
  if (before.interactions == 0 || after.interactions == 0) return 0;
  const CountEntropy& entropy = TabledCountEntropy();
  std::int64_t log_ratio =
      entropy(both) - entropy(before.interactions) - entropy(after.interactions);
  for (std::size_t slot = 0; slot < kPairSlots; ++slot) {
    const std::uint64_t a = before.count[slot], b = after.count[slot];
    if (a + b > 0) log_ratio -= kLikelihoodOne / 2;
    if (a == 0 || b == 0) continue;  // then the terms cancel
    log_ratio += entropy(a) + entropy(b) - entropy(a + b);
  }
  const auto harmonic = static_cast<gpu::UnsignedInt128>(before.interactions) * after.interactions;
  return static_cast<std::int64_t>(static_cast<gpu::Int128>(log_ratio) *
                                   static_cast<std::int64_t>(both) * kLikelihoodOne /
                                   static_cast<gpu::Int128>(harmonic));
}

void LevelBoundaries::Decide(std::int64_t boundary, std::vector<LevelStep>& decided) {
  ++decided_count_;
  LevelStep step{boundary, boundary > 0 && peaks_.IsPeak(boundary), 0};
  if (step.is_boundary) step.score = peaks_.score(boundary);
  decided.push_back(step);
}

}  // namespace weft::cache
