#include "cache/leaf_boundaries.h"

#include <algorithm>

namespace weft::cache {
namespace {

// Bins of the scores whose quantile is taken: from -8 to 120 in steps of 1/32.
constexpr std::int64_t kBinsPerOne = 32;
constexpr std::int64_t kLowestBinned = -8;
constexpr std::int64_t kBins = 128 * kBinsPerOne;

}  // namespace

LeafBoundaries::LeafBoundaries(const LeafOptions& options, const gpu::Exec& exec)
    : options_(options),
      threshold_(options.threshold),
      scores_(options.window, exec),
      peaks_(options.window),
      best_score_(kNoScore),
      score_histogram_(options.threshold_quantile > 0.0f ? kBins : 0) {}

bool LeafBoundaries::IsWhole() const {
  const std::int64_t scored = std::max<std::int64_t>(snapshot_count() - options_.window + 1, 0);
  return (peaks_.size() == scored || peaks_.size() == snapshot_count()) && decided_count_ >= 0 &&
         decided_count_ <= peaks_.size() && peaks_.size() - decided_count_ <= options_.window &&
         scores_followed_ >= 0;
}

std::int64_t LeafBoundaries::latest_score() const {
  if (peaks_.size() == 0) return 0;
  const std::int64_t score = peaks_.score(peaks_.size() - 1);
  return score == kNoScore ? 0 : score;
}

void LeafBoundaries::Push(const SnapshotPairs& snapshots, LeafDecisions& decided) {
  for (std::int64_t from = 0; from < snapshots.size(); from += LeafScores::kMostAtOnce)
    PushPart(snapshots.Part(from, std::min(snapshots.size() - from, LeafScores::kMostAtOnce)),
             decided);
}

void LeafBoundaries::PushPart(const SnapshotPairs& snapshots, LeafDecisions& decided) {
  const std::int64_t count_before = snapshot_count();
  scores_.Add(snapshots);
  const std::int64_t begin = peaks_.size();
  // A boundary is scored when there is a window behind it.
  const std::int64_t count =
      std::max<std::int64_t>(snapshot_count() - options_.window + 1 - begin, 0);
  const std::span<const std::int64_t> scores = scores_.Of(begin, count);
  for (std::int64_t row = 0; row < snapshots.size(); ++row) {
    const std::int64_t at = count_before + row + 1 - options_.window;
    if (at >= 0) Take(scores[static_cast<std::size_t>(at - begin)], decided.steps);
    decided.steps_end.push_back(decided.steps.size());
    decided.latest_score.push_back(latest_score());
  }
}

void LeafBoundaries::Finish(std::vector<LeafStep>& decided) {
  // Windows behind the later boundaries are cut short by the end.
  while (peaks_.size() < snapshot_count()) {
    const std::int64_t count = std::min(snapshot_count() - peaks_.size(), LeafScores::kMostAtOnce);
    for (const std::int64_t score : scores_.Of(peaks_.size(), count)) Take(score, decided);
  }
  while (decided_count_ < peaks_.size()) Decide(decided_count_, decided);
}

// The score of the next boundary. Decides the boundary a window before.
void LeafBoundaries::Take(std::int64_t score, std::vector<LeafStep>& decided) {
  peaks_.Push(score);
  if (decided_count_ + options_.window < peaks_.size()) Decide(decided_count_, decided);
  if (score != kNoScore && options_.threshold_quantile > 0.0f) FollowScores(score);
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
