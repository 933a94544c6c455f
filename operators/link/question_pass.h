// The second pass over the test part: each event against the targets of the harder questions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "operators/learn/ranking_metrics.h"
#include "operators/link/candidate_draws.h"
#include "operators/link/link_model.h"
#include "operators/link/link_training.h"
#include "operators/link/question_draws.h"

namespace weft::operators::link {

struct QuestionOptions {
  std::uint64_t seed = 1;
  std::int32_t batch = 32;            // events of a step
  std::int64_t ranked_events = 1000;  // at most, drawn
  // Learn from each step after it was scored, as a service does: against targets drawn from those
  // that occurred before. Random negatives are asked as well then.
  bool learn = false;
  bool ask = true;  // otherwise only learn
};

// Of sets that should hold the target of a ranked event with a probability of kCoverage, from the
// scores of all earlier events of the part, once there are kCoveragePast of them.
inline constexpr double kCoverage = 0.9;
inline constexpr std::int64_t kCoveragePast = 100;

struct CoverageFigures {
  std::int64_t events = 0;  // that were asked
  double held = 0.0;        // share of the sets with the target
  double set_size = 0.0;    // mean, among the candidates and the target
};

struct QuestionFigures {
  // Only with `learn`: by PairScore::random, and what their probabilities were worth.
  learn::RankingScore random = {};
  std::vector<learn::ReliabilityBin> reliability = {};
  learn::RankingScore seen;        // by PairScore::random
  learn::RankingScore historical;  // by PairScore::historical
  // Mean of 1 / rank, by PairScore::joint; none without a ranked event.
  std::optional<double> mean_reciprocal_rank;
  std::optional<CoverageFigures> coverage = {};  // by PairScore::joint
};

// `part` is of the whole file. The model's state must be as of its begin, and takes its events in.
QuestionFigures AskQuestions(LinkModel& model, const LinkPart& part, const QuestionDraws& draws,
                             const QuestionOptions& options);

}  // namespace weft::operators::link
