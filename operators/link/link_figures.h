// What an evaluation says of a model: by seed, and the means.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "operators/learn/ranking_metrics.h"
#include "operators/link/link_training.h"
#include "operators/link/question_pass.h"

namespace weft::operators::link {

struct LinkRanking {
  double ap = 0.0;
  double auc = 0.0;
};

// A model's figures on the test part: means over seeds, with AP for each of them.
struct LinkFigures {
  double ap = 0.0;             // random negatives, over the whole part
  double ap_batch_mean = 0.0;  // mean of the steps
  bool has_batches = false;    // false: that was not taken, as online
  double auc = 0.0;
  double ap_stddev = 0.0;  // sample standard deviation over seeds; 0 for one seed
  bool valid = false;      // false: the part is empty
  std::vector<double> ap_by_seed;
  // None where no event had such a negative, or was not asked.
  std::optional<LinkRanking> seen;
  std::optional<LinkRanking> historical;
  std::optional<double> mean_reciprocal_rank;
  std::optional<CoverageFigures> coverage;  // `events` of all seeds together
  std::optional<double> calibration_error;  // none for scores that are no probabilities
  // Online only: of the first twentieth of the events.
  std::optional<LinkRanking> first_random;
  std::optional<LinkRanking> first_seen;
  std::optional<LinkRanking> first_historical;
  // Bins of the same share of what was scored, means over seeds; empty without the former.
  std::vector<learn::ReliabilityBin> reliability;
};

// One seed's figures.
struct SeedFigures {
  learn::RankingScore whole;
  learn::RankingScore batch_mean;
  QuestionFigures questions;
  QuestionFigures first;                           // online only
  std::vector<learn::ReliabilityBin> reliability;  // empty for scores that are no probabilities
};

// Of random negatives; `probabilities` says whether calibration means something.
SeedFigures FiguresOf(const PartScores& scores, bool probabilities);

LinkFigures MeanOf(std::span<const SeedFigures> by_seed);

}  // namespace weft::operators::link
