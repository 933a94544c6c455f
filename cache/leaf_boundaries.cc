#include "cache/leaf_boundaries.h"

#include <algorithm>

#include "gpu/host_device.h"

namespace weft::cache {
namespace {

// Bins of the scores whose quantile is taken: from -8 to 120 in steps of 1/32.
constexpr std::int64_t kBinsPerOne = 32;
constexpr std::int64_t kLowestBinned = -8;
constexpr std::int64_t kBins = 128 * kBinsPerOne;

}  // namespace

LeafBoundaries::LeafBoundaries(const LeafOptions& options)
    : options_(options),
      threshold_(options.threshold),
      ring_(static_cast<std::size_t>(2 * options.window + 2) * kProfileSlots),
      before_(kProfileSlots),
      after_(kProfileSlots),
      peaks_(options.window),
      best_score_(kNoScore),
      score_histogram_(options.threshold_quantile > 0.0f ? kBins : 0) {}

bool LeafBoundaries::IsWhole() const {
  return snapshot_count_ >= 0 && peaks_.size() <= snapshot_count_ && decided_count_ >= 0 &&
         decided_count_ <= peaks_.size() && peaks_.size() - decided_count_ <= options_.window &&
         scores_followed_ >= 0;
}

std::span<std::uint32_t> LeafBoundaries::ProfileOf(std::int64_t snapshot) {
  const std::int64_t place = snapshot % (2 * options_.window + 2);
  return std::span(ring_).subspan(static_cast<std::size_t>(place) * kProfileSlots, kProfileSlots);
}

std::int64_t LeafBoundaries::latest_score() const {
  if (peaks_.size() == 0) return 0;
  const std::int64_t score = peaks_.score(peaks_.size() - 1);
  return score == kNoScore ? 0 : score;
}

void LeafBoundaries::Push(std::span<const std::uint32_t> profile, std::vector<LeafStep>& decided) {
  std::ranges::copy(profile, ProfileOf(snapshot_count_).begin());
  ++snapshot_count_;
  for (std::size_t d = 0; d < kProfileSlots; ++d) after_[d] += profile[d];
  if (snapshot_count_ >= options_.window) ScoreBoundary(snapshot_count_ - options_.window, decided);
}

void LeafBoundaries::Finish(std::vector<LeafStep>& decided) {
  // Windows behind the later boundaries are cut short by the end.
  for (std::int64_t snapshot = peaks_.size(); snapshot < snapshot_count_; ++snapshot)
    ScoreBoundary(snapshot, decided);
  while (decided_count_ < peaks_.size()) Decide(decided_count_, decided);
}

// The boundary before `snapshot`: snapshots [snapshot - window, snapshot) against those behind it.
// Decides the boundary a window before. When this returns the windows are those of the next
// boundary.
void LeafBoundaries::ScoreBoundary(std::int64_t snapshot, std::vector<LeafStep>& decided) {
  const std::int64_t window = options_.window;
  const std::int64_t before = std::min(snapshot, window);
  const std::int64_t after = std::min(snapshot_count_ - snapshot, window);
  const bool enough = 2 * before >= window && 2 * after >= window;
  const std::int64_t score = enough ? ScoreNow(before, after) : kNoScore;
  peaks_.Push(score);
  if (decided_count_ + window < peaks_.size()) Decide(decided_count_, decided);
  if (enough && options_.threshold_quantile > 0.0f) FollowScores(score);
  const std::span<const std::uint32_t> moved = ProfileOf(snapshot);
  for (std::size_t d = 0; d < kProfileSlots; ++d) {
    after_[d] -= moved[d];
    before_[d] += moved[d];
  }
  if (snapshot < window) return;
  const std::span<const std::uint32_t> left = ProfileOf(snapshot - window);
  for (std::size_t d = 0; d < kProfileSlots; ++d) before_[d] -= left[d];
}

// One Poisson rate for each slot in both windows, or two.
std::int64_t LeafBoundaries::ScoreNow(std::int64_t before, std::int64_t after) const {
  const CountEntropy& entropy = TabledCountEntropy();
  std::int64_t log_ratio = 0;
  std::int64_t compared = 0;
  std::uint64_t all_before = 0, all_after = 0;
  for (std::size_t d = 0; d < kProfileSlots; ++d) {
    const std::uint64_t a = before_[d], b = after_[d];
    compared += a + b > 0 ? 1 : 0;
    log_ratio += entropy(a) + entropy(b) - entropy(a + b);
    all_before += a;
    all_after += b;
  }
  const auto both = static_cast<std::uint64_t>(before + after);
  log_ratio += CountTimesLogRatio(all_before, both, static_cast<std::uint64_t>(before));
  log_ratio += CountTimesLogRatio(all_after, both, static_cast<std::uint64_t>(after));
  return DeviationsAboveChance(log_ratio, compared);
}

void LeafBoundaries::FollowScores(std::int64_t score) {
  const std::int64_t bin =
      (score - kLowestBinned * kLikelihoodOne) / (kLikelihoodOne / kBinsPerOne);
  ++score_histogram_[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, kBins - 1))];
  if (++scores_followed_ < next_move_) return;
  next_move_ *= 2;
  const auto below = static_cast<std::int64_t>(static_cast<double>(options_.threshold_quantile) *
                                               static_cast<double>(scores_followed_));
  std::int64_t seen = 0;
  std::int64_t at = 0;
  while (at < kBins - 1 && (seen += score_histogram_[static_cast<std::size_t>(at)]) < below) ++at;
  threshold_ = (at + 1) * (kLikelihoodOne / kBinsPerOne) + kLowestBinned * kLikelihoodOne;
}

void LeafBoundaries::Decide(std::int64_t snapshot, std::vector<LeafStep>& decided) {
  ++decided_count_;
  const std::int64_t score = peaks_.score(snapshot);
  LeafStep step{LeafStep::kInside, snapshot, 0, 0};
  if (score != kNoScore && score >= threshold_ && peaks_.IsPeak(snapshot)) {
    step = {LeafStep::kBoundary, snapshot, snapshot, score};
  } else {
    if (snapshot > begin_ && score > best_score_) {
      step.kind = LeafStep::kBest;
      best_ = snapshot;
      best_score_ = score;
    }
    if (snapshot - begin_ >= options_.longest && best_score_ != kNoScore) {
      const bool here = step.kind == LeafStep::kBest;
      step = {here ? LeafStep::kBestCut : LeafStep::kCut, snapshot, best_, best_score_};
    }
  }
  if (step.kind >= LeafStep::kBoundary) {
    begin_ = step.boundary;
    best_score_ = kNoScore;
  }
  decided.push_back(step);
}

}  // namespace weft::cache
