// How well scores separate what happened (positives) from what did not (negatives).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::learn {

// What scores of positives and negatives say together. NaN-free: with no positive or no negative
// nothing can be said
// (`valid` is false and both figures are 0).
struct RankingScore {
  double average_precision =
      0.0;  // sum over thresholds of (recall step) x precision; equal scores are one threshold
  double area_under_curve =
      0.0;  // probability that a positive scores higher than a negative, equal scores count 1/2
  bool valid = false;
};

// Scores must be finite. The same figures as scikit-learn's average_precision_score and
// roc_auc_score. n log n in the number of scores.
RankingScore RankingOf(std::span<const float> positive, std::span<const float> negative);

// The place of `positive` among itself and `others`, 1 the best: the mean of the best and the worst
// place that equal scores leave it.
double MeanRank(float positive, std::span<const float> others);

// Neighbours among sorted probabilities: what was said and what came.
struct ReliabilityBin {
  std::int64_t count = 0;
  double probability = 0.0;  // mean
  double happened = 0.0;     // share of positives
};

// Positives and negatives together, sorted, cut into `bins` of equal count (but for one). Equal
// scores have one share, wherever the cuts fall. Bins of nothing are left out.
std::vector<ReliabilityBin> Reliability(std::span<const float> positive,
                                        std::span<const float> negative, std::int64_t bins = 15);

// Expected calibration error: mean over the bins, weighted by count, of the distance between the
// mean score and the share of positives. 0 for no bins.
double CalibrationError(std::span<const ReliabilityBin> bins);

// Mean of the figures of batches, each batch with the same weight.
class BatchMean {
 public:
  // Batches that say nothing are left out.
  void Add(const RankingScore& batch);
  RankingScore mean() const;
  std::int64_t batch_count() const { return count_; }

 private:
  double average_precision_sum_ = 0.0;
  double area_under_curve_sum_ = 0.0;
  std::int64_t count_ = 0;
};

// The last `capacity` events of a stream, each with a positive and a negative score: figures as of
// now, exact and deterministic. Adding costs O(1); Ranking sorts the window. Not thread-safe.
class RankingWindow {
 public:
  explicit RankingWindow(std::int64_t capacity);

  void Add(float positive, float negative);
  RankingScore Ranking() const;
  // Mean of -log(p) of the positives and -log(1 - p) of the negatives, p cut to [1e-6, 1 - 1e-6];
  // means something only if the scores are probabilities. 0 for an empty window.
  double LogLoss() const;

  std::int64_t size() const { return static_cast<std::int64_t>(positive_.size()); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t added() const { return added_; }

  // The state, for checkpoints: scores in the order of the ring, and how many were ever added.
  std::span<const float> positive() const { return positive_; }
  std::span<const float> negative() const { return negative_; }
  // False, changing nothing, if the state cannot be one of this window's.
  bool Restore(std::vector<float> positive, std::vector<float> negative, std::int64_t added);

 private:
  std::int64_t capacity_;
  std::int64_t added_ = 0;
  std::vector<float> positive_;
  std::vector<float> negative_;
};

// The last `capacity` ranks of a stream, as of MeanRank. Not thread-safe.
class RankWindow {
 public:
  explicit RankWindow(std::int64_t capacity) : capacity_(capacity) {}

  void Add(float rank);
  // Mean of 1 / rank; 0 for an empty window.
  double MeanReciprocalRank() const;

  std::int64_t size() const { return static_cast<std::int64_t>(ranks_.size()); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t added() const { return added_; }

  // The state, for checkpoints: ranks in the order of the ring, and how many were ever added.
  std::span<const float> ranks() const { return ranks_; }
  // False, changing nothing, if the state cannot be one of this window's.
  bool Restore(std::vector<float> ranks, std::int64_t added);

 private:
  std::int64_t capacity_;
  std::int64_t added_ = 0;
  std::vector<float> ranks_;
};

}  // namespace weft::operators::learn
