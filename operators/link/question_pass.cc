#include "operators/link/question_pass.h"

#include <algorithm>
#include <span>

#include "operators/link/coverage_window.h"

namespace weft::operators::link {
namespace {

struct Pairs {
  std::vector<float> positive;
  std::vector<float> negative;

  void Add(float positive_score, float negative_score) {
    positive.push_back(positive_score);
    negative.push_back(negative_score);
  }
};

class QuestionPass {
 public:
  QuestionPass(LinkModel& model, const LinkPart& part, const QuestionDraws& draws,
               const QuestionOptions& options)
      : model_(model),
        part_(part),
        draws_(draws),
        options_(options),
        seen_seed_(PhaseSeed(options.seed, LinkPhase::kSeen, 0)),
        historical_seed_(PhaseSeed(options.seed, LinkPhase::kHistorical, 0)),
        candidate_seed_(PhaseSeed(options.seed, LinkPhase::kCandidates, 0)),
        random_seed_(PhaseSeed(options.seed, LinkPhase::kTest, 0)),
        lesson_seed_(PhaseSeed(options.seed, LinkPhase::kTrain, 0)),
        ranked_(DrawEvents(PhaseSeed(options.seed, LinkPhase::kRankedEvents, 0), part.begin,
                           part.end, options.ranked_events)) {}

  QuestionFigures Run() {
    for (std::int64_t begin = part_.begin; begin < part_.end;) {
      const std::int64_t end =
          LinkStepEnd(*part_.events, begin, part_.end, options_.batch, model_.reads());
      Step(begin, end);
      begin = end;
    }
    QuestionFigures figures;
    figures.random = learn::RankingOf(random_.positive, random_.negative);
    if (options_.learn && model_.scores_are_probabilities())
      figures.reliability = learn::Reliability(probability_.positive, probability_.negative);
    figures.seen = learn::RankingOf(seen_.positive, seen_.negative);
    figures.historical = learn::RankingOf(historical_.positive, historical_.negative);
    if (ranked_count_ > 0)
      figures.mean_reciprocal_rank = reciprocal_ranks_ / static_cast<double>(ranked_count_);
    if (covered_.events > 0) {
      const auto asked = static_cast<double>(covered_.events);
      figures.coverage = {.events = covered_.events,
                          .held = covered_.held / asked,
                          .set_size = covered_.set_size / asked};
    }
    return figures;
  }

 private:
  // What an event stands against: of its extras the first is the random negative, if there is one,
  // the next the seen one, if there is one, the next the historical one, if there is one, the
  // others are candidates.
  struct Asked {
    bool random;
    bool seen;
    bool historical;
  };

  void Draw(std::int64_t index) {
    if (!options_.ask) {
      asked_.push_back({});
      extra_begin_.push_back(0);
      return;
    }
    const graph::NodeId seen = draws_.Seen(seen_seed_, index);
    const graph::NodeId historical = draws_.Historical(historical_seed_, index);
    const graph::NodeId random = options_.learn
                                     ? draws_.negatives().Draw(random_seed_, index, part_.pool_size)
                                     : graph::kNoNode;
    asked_.push_back(
        {random != graph::kNoNode, seen != graph::kNoNode, historical != graph::kNoNode});
    if (random != graph::kNoNode) extra_.push_back(random);
    if (seen != graph::kNoNode) extra_.push_back(seen);
    if (historical != graph::kNoNode) extra_.push_back(historical);
    if (std::binary_search(ranked_.begin(), ranked_.end(), index)) {
      const std::vector<graph::NodeId> candidates =
          draws_.Candidates(candidate_seed_, index, kHistoricalCandidates, kRankCandidates);
      extra_.insert(extra_.end(), candidates.begin(), candidates.end());
    }
    extra_begin_.push_back(static_cast<std::int32_t>(extra_.size()));
  }

  void Take(const Asked& asked, const PairScore& positive, std::span<const PairScore> extra) {
    if (asked.random) {
      random_.Add(positive.random, extra.front().random);
      probability_.Add(positive.probability, extra.front().probability);
      extra = extra.subspan(1);
    }
    if (asked.seen) {
      seen_.Add(positive.random, extra.front().random);
      extra = extra.subspan(1);
    }
    if (asked.historical) {
      historical_.Add(positive.historical, extra.front().historical);
      extra = extra.subspan(1);
    }
    if (extra.empty()) return;
    std::vector<float> candidates;
    for (const PairScore& score : extra) candidates.push_back(score.joint);
    reciprocal_ranks_ += 1.0 / learn::MeanRank(positive.joint, candidates);
    ++ranked_count_;
    if (coverage_.size() < kCoveragePast) return;
    if (!threshold_) threshold_ = coverage_.At(kCoverage).threshold;
    const auto in_set = [this](float score) { return score >= *threshold_; };
    const auto others = std::ranges::count_if(candidates, in_set);
    // A set is never empty: it holds the best at least.
    const bool held = in_set(positive.joint) ||
                      (others == 0 && positive.joint >= *std::ranges::max_element(candidates));
    ++covered_.events;
    covered_.held += held ? 1.0 : 0.0;
    covered_.set_size += std::max(1.0, static_cast<double>(others) + (held ? 1.0 : 0.0));
  }

  void Step(std::int64_t begin, std::int64_t end) {
    threshold_.reset();
    asked_.clear();
    extra_.clear();
    extra_begin_.assign(1, 0);
    for (std::int64_t index = begin; index < end; ++index) Draw(index);
    lesson_.clear();
    for (std::int64_t index = begin; options_.learn && index < end; ++index)
      lesson_.push_back(draws_.AnySeen(lesson_seed_, index));
    positive_score_.resize(asked_.size());
    lesson_score_.resize(lesson_.size());
    extra_score_.resize(extra_.size());
    model_.Advance({.events = graph::EventSpan::Of(*part_.events, begin, end),
                    .negative = lesson_,
                    .extra_begin = extra_begin_,
                    .extra = extra_,
                    .learn = options_.learn},
                   {.positive = positive_score_, .negative = lesson_score_, .extra = extra_score_});
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      const auto first = static_cast<std::size_t>(extra_begin_[i]);
      const auto count = static_cast<std::size_t>(extra_begin_[i + 1]) - first;
      Take(asked_[i], positive_score_[i], std::span(extra_score_).subspan(first, count));
    }
    for (const PairScore& score : positive_score_) coverage_.Add(score.joint);
  }

  LinkModel& model_;
  const LinkPart& part_;
  const QuestionDraws& draws_;
  const QuestionOptions& options_;
  std::uint64_t seen_seed_;
  std::uint64_t historical_seed_;
  std::uint64_t candidate_seed_;
  std::uint64_t random_seed_;
  std::uint64_t lesson_seed_;
  std::vector<std::int64_t> ranked_;  // events, in order

  // Of the step at hand.
  std::vector<Asked> asked_;
  std::vector<graph::NodeId> extra_;
  std::vector<std::int32_t> extra_begin_;
  std::vector<graph::NodeId> lesson_;  // what is contrasted with in learning
  std::vector<PairScore> positive_score_;
  std::vector<PairScore> lesson_score_;
  std::vector<PairScore> extra_score_;
  std::optional<float> threshold_;

  Pairs random_;
  Pairs probability_;  // of the same
  Pairs seen_;
  Pairs historical_;
  double reciprocal_ranks_ = 0.0;
  std::int64_t ranked_count_ = 0;
  CoverageWindow coverage_;  // before the step at hand
  CoverageFigures covered_;  // sums
};

}  // namespace

QuestionFigures AskQuestions(LinkModel& model, const LinkPart& part, const QuestionDraws& draws,
                             const QuestionOptions& options) {
  return QuestionPass(model, part, draws, options).Run();
}

}  // namespace weft::operators::link
