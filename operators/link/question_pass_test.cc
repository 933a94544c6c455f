#include "operators/link/question_pass.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/link/coverage_window.h"
#include "operators/link/recency.h"

namespace weft::operators::link {
namespace {

graph::EventBatch MakeEvents(std::int64_t count) {
  graph::EventBatch events;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    events.source.push_back(static_cast<graph::NodeId>(gpu::CounterHash(1, row, 0) % 30));
    events.target.push_back(static_cast<graph::NodeId>(30 + gpu::CounterHash(1, row, 1) % 150));
    events.time_us.push_back(i / 3);
  }
  return events;
}

struct File {
  File() : events(MakeEvents(900)), negatives(events), draws(Fill(), negatives) {
    part = {.events = &events, .begin = 600, .end = 900};
  }
  const graph::EventBatch& Fill() {
    negatives.AddTargets(0, events.size());
    return events;
  }

  graph::EventBatch events;
  NegativeTargets negatives;
  QuestionDraws draws;
  LinkPart part;
};

// Says something else in each of the three scores.
class ThreeScores final : public LinkModel {
 public:
  std::string name() const override { return "three_scores"; }
  bool scores_are_probabilities() const override { return false; }
  LinkReads reads() const override { return LinkReads::kBeforeTime; }
  void ResetState() override {}
  void Advance(const LinkStep& step, const LinkStepScores& scores) override {
    EXPECT_FALSE(step.learn);
    EXPECT_TRUE(step.negative.empty());
    std::ranges::fill(scores.positive, PairScore{1.0f, 0.0f, 0.5f});
    std::ranges::fill(scores.extra, PairScore{0.0f, 1.0f, 0.5f});
  }
  void ScorePairs(std::span<const graph::NodeId>, std::span<const graph::NodeId>, graph::TimeUs,
                  std::span<PairScore>) const override {}
  absl::Status SaveState(graph::CheckpointSink&) const override { return absl::OkStatus(); }
  absl::Status LoadState(graph::CheckpointSource&) override { return absl::OkStatus(); }
};

TEST(QuestionPass, EachQuestionHasItsScore) {
  const File file;
  ThreeScores model;
  const QuestionFigures figures =
      AskQuestions(model, file.part, file.draws, {.seed = 1, .batch = 32, .ranked_events = 50});
  EXPECT_EQ(figures.seen.area_under_curve, 1.0);
  EXPECT_EQ(figures.historical.area_under_curve, 0.0);
  ASSERT_TRUE(figures.mean_reciprocal_rank.has_value());
  EXPECT_NEAR(*figures.mean_reciprocal_rank, 1.0 / 51.0, 1e-12);
  const QuestionFigures unranked =
      AskQuestions(model, file.part, file.draws, {.seed = 1, .batch = 32, .ranked_events = 0});
  EXPECT_FALSE(unranked.mean_reciprocal_rank.has_value());
}

float ScoreOne(const LinkModel& model, graph::NodeId source, graph::NodeId target) {
  PairScore score;
  model.ScorePairs(std::span(&source, 1), std::span(&target, 1), 0, std::span(&score, 1));
  return score.joint;
}

// One event after the other, with one ScorePairs call a pair.
QuestionFigures Loop(const File& file, std::uint64_t seed, std::int64_t ranked_events) {
  CoverageWindow window;
  CoverageFigures coverage;
  Recency model(RecencyOptions{});
  model.Observe(graph::EventSpan::Of(file.events, 0, file.part.begin));
  const auto ranked = DrawEvents(PhaseSeed(seed, LinkPhase::kRankedEvents, 0), file.part.begin,
                                 file.part.end, ranked_events);
  std::vector<float> seen[2], historical[2];
  double sum = 0;
  for (std::int64_t i = file.part.begin; i < file.part.end; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const auto score = [&](graph::NodeId target) {
      return ScoreOne(model, file.events.source[row], target);
    };
    const float positive = score(file.events.target[row]);
    const graph::NodeId other = file.draws.Seen(PhaseSeed(seed, LinkPhase::kSeen, 0), i);
    const graph::NodeId past = file.draws.Historical(PhaseSeed(seed, LinkPhase::kHistorical, 0), i);
    if (other != graph::kNoNode) seen[0].push_back(positive), seen[1].push_back(score(other));
    if (past != graph::kNoNode)
      historical[0].push_back(positive), historical[1].push_back(score(past));
    if (std::ranges::find(ranked, i) != ranked.end()) {
      double rank = 1;
      std::vector<float> ranked_score;
      for (const graph::NodeId target :
           file.draws.Candidates(PhaseSeed(seed, LinkPhase::kCandidates, 0), i, 50, 100))
        ranked_score.push_back(score(target));
      for (const float value : ranked_score)
        rank += value > positive ? 1.0 : value == positive ? 0.5 : 0.0;
      sum += 1 / rank;
      if (window.size() >= kCoveragePast) {
        const float threshold = window.At(kCoverage).threshold;
        ++coverage.events;
        ranked_score.push_back(positive);
        const double best = *std::ranges::max_element(ranked_score);
        coverage.held += positive >= threshold || positive == best ? 1 : 0;
        double size = 0;
        for (const float value : ranked_score) size += value >= threshold ? 1 : 0;
        coverage.set_size += std::max(size, 1.0);
      }
    }
    window.Add(positive);
    model.Observe(graph::EventSpan::Of(file.events, i, i + 1));
  }
  return {.seen = learn::RankingOf(seen[0], seen[1]),
          .historical = learn::RankingOf(historical[0], historical[1]),
          .mean_reciprocal_rank = sum / static_cast<double>(ranked.size()),
          .coverage = coverage};
}

TEST(QuestionPass, AgreesWithThePlainLoop) {
  const File file;
  RecencyOptions options;
  options.reads = LinkReads::kBeforeEvent;
  for (const std::int32_t batch : {1, 32}) {
    Recency model(options);
    model.Observe(graph::EventSpan::Of(file.events, 0, file.part.begin));
    const QuestionFigures figures = AskQuestions(model, file.part, file.draws,
                                                 {.seed = 4, .batch = batch, .ranked_events = 40});
    const QuestionFigures expected = Loop(file, 4, 40);
    EXPECT_EQ(figures.seen.average_precision, expected.seen.average_precision);
    EXPECT_EQ(figures.seen.area_under_curve, expected.seen.area_under_curve);
    EXPECT_EQ(figures.historical.average_precision, expected.historical.average_precision);
    EXPECT_NEAR(*figures.mean_reciprocal_rank, *expected.mean_reciprocal_rank, 1e-12);
    if (batch > 1) continue;  // or the sets know less
    ASSERT_GT(expected.coverage->events, 5);
    const auto asked = static_cast<double>(expected.coverage->events);
    EXPECT_EQ(figures.coverage->events, expected.coverage->events);
    EXPECT_NEAR(figures.coverage->held, expected.coverage->held / asked, 1e-12);
    EXPECT_NEAR(figures.coverage->set_size, expected.coverage->set_size / asked, 1e-12);
  }
}

}  // namespace
}  // namespace weft::operators::link
