#include "operators/link/next_time_evaluation.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/link/next_time_baselines.h"

namespace weft::operators::link {
namespace {

constexpr std::uint32_t kSources = 12;

// Each source waits mostly a second, and a minute after every third event; even ones half as long.
graph::EventBatch MakeEvents(std::size_t count) {
  std::mt19937_64 random(9);
  std::vector<graph::TimeUs> next(kSources);
  std::vector<std::uint32_t> sent(kSources);
  for (std::uint32_t u = 0; u < kSources; ++u)
    next[u] = static_cast<graph::TimeUs>(random() % 60'000'000);
  graph::EventBatch events;
  while (events.source.size() < count) {
    const auto source =
        static_cast<graph::NodeId>(std::min_element(next.begin(), next.end()) - next.begin());
    events.source.push_back(source);
    events.target.push_back(static_cast<graph::NodeId>(kSources + random() % 5));
    events.time_us.push_back(next[source]);
    const double usual = (++sent[source] % 3 == 0 ? 60e6 : 1e6) / (source % 2 == 0 ? 2 : 1);
    const double jitter = 0.8 + 0.4 * static_cast<double>(random() % 1000) / 1000;
    next[source] += static_cast<graph::TimeUs>(usual * jitter);
  }
  return events;
}

NextTimeResult Evaluate(const graph::EventBatch& events, const NextTimeOptions& options) {
  const auto result = EvaluateNextTime(events, kSources + 5, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : NextTimeResult{};
}

TEST(NextTimeQuestions, AreAllMomentsWithTheirNext) {
  std::mt19937_64 random(3);
  graph::EventBatch events;
  for (int i = 0; i < 300; ++i) {
    events.source.push_back(static_cast<graph::NodeId>(random() % 5));
    events.target.push_back(static_cast<graph::NodeId>(random() % 5));
    events.time_us.push_back(
        i == 0 ? 0 : events.time_us.back() + static_cast<graph::TimeUs>(random() % 2));
  }
  for (const bool of_pair : {false, true}) {
    const auto same = [&](std::size_t a, std::size_t b) {
      return events.source[a] == events.source[b] &&
             (!of_pair || events.target[a] == events.target[b]);
    };
    const std::vector<NextTimeQuestion> questions = NextTimeQuestions(events, of_pair);
    std::size_t found = 0;
    for (std::size_t e = 0; e < 300; ++e) {
      int of_moment = 0;
      bool is_last = true, has_next = false;
      graph::TimeUs next_us = 0;
      for (std::size_t other = 0; other < 300; ++other) {
        if (!same(e, other)) continue;
        const bool now = events.time_us[other] == events.time_us[e];
        of_moment += now ? 1 : 0;
        if (now && other > e) is_last = false;
        if (events.time_us[other] <= events.time_us[e] || has_next) continue;
        has_next = true;
        next_us = events.time_us[other];
      }
      if (!is_last) continue;
      ASSERT_LT(found, questions.size());
      const NextTimeQuestion& question = questions[found++];
      EXPECT_EQ(question.event, static_cast<std::int64_t>(e));
      EXPECT_EQ(question.events, of_moment);
      EXPECT_EQ(question.has_next, has_next);
      EXPECT_EQ(question.next_us, next_us);
    }
    EXPECT_EQ(found, questions.size());
  }
}

TEST(NextTimeEvaluation, TellsWhatNoOwnMeanTells) {
  NextTimeOptions options;
  options.seeds = {1, 2};
  options.epochs = 20;
  const NextTimeResult result = Evaluate(MakeEvents(6000), options);
  ASSERT_EQ(result.baselines.size(), 3u);
  for (const NextTimeBaseline& baseline : result.baselines) {
    EXPECT_GT(result.figures.log_likelihood, baseline.figures.log_likelihood + 0.3)
        << baseline.name;
    EXPECT_LT(result.figures.median_error_log10, baseline.figures.median_error_log10)
        << baseline.name;
  }
  // The jitter is at most 1.2.
  EXPECT_LT(result.figures.median_error_log10, std::log10(1.3));
  EXPECT_EQ(result.log_likelihood_by_seed.size(), 2u);
}

TEST(NextTimeEvaluation, NoAnswerKnowsTheFuture) {
  const graph::EventBatch events = MakeEvents(1500);
  for (const bool of_pair : {false, true}) {
    NextTimeOptions options;
    options.of_pair = of_pair;
    options.epochs = 1;
    const NextTimeResult before = Evaluate(events, options);
    const auto questions = NextTimeQuestions(events, of_pair);
    const auto cut = static_cast<std::size_t>(before.split.test + 60);
    // Everything from there on happens to others, and later.
    graph::EventBatch other = events;
    for (std::size_t e = cut; e < other.source.size(); ++e) {
      other.source[e] = (other.source[e] + 1) % kSources;
      other.time_us[e] += 5'000'000;
    }
    NextTimeResult after = Evaluate(other, options);
    ASSERT_EQ(after.split.test, before.split.test);
    EXPECT_EQ(after.validation_loss, before.validation_loss);
    std::size_t compared = 0;
    std::size_t at = 0;
    for (const NextTimeQuestion& question : questions) {
      if (question.event < before.split.test) continue;
      if (question.event >= static_cast<std::int64_t>(cut)) break;
      ASSERT_EQ(after.median[at], before.median[at]) << "event " << question.event;
      ++at, ++compared;
    }
    EXPECT_GT(compared, 40u);
    EXPECT_NE(after.median, before.median);
  }
}

TEST(NextTimeEvaluation, SaysWhatIsMissing) {
  graph::EventBatch events = MakeEvents(300);
  for (std::size_t e = 0; e < 300; ++e) events.source[e] = static_cast<graph::NodeId>(e);
  const auto error = EvaluateNextTime(events, 300, {}).status().ToString();
  EXPECT_NE(error.find("expected a source with events at two times in train and in test, got 0"),
            std::string::npos)
      << error;
  EXPECT_FALSE(EvaluateNextTime({}, 0, {}).ok());
}

TEST(WaitBins, HoldEquallyManyAndTellLikelihoods) {
  std::vector<double> waits;
  for (int i = 1; i <= 100; ++i) waits.push_back(i);
  const WaitBins bins(waits, 4);
  ASSERT_EQ(bins.size(), 4);
  EXPECT_EQ(std::vector(bins.edges().begin(), bins.edges().end()),
            (std::vector<double>{26, 51, 76}));
  EXPECT_EQ(bins.BinOf(0.1), 0);
  EXPECT_EQ(bins.BinOf(25.9), 0);
  EXPECT_EQ(bins.BinOf(26), 1);
  EXPECT_EQ(bins.BinOf(1e9), 3);
  const std::vector<double> survival = {0.8, 0.4, 0.4};
  EXPECT_NEAR(bins.LogLikelihood(survival, 3, true), std::log(0.2), 1e-12);
  EXPECT_NEAR(bins.LogLikelihood(survival, 30, true), std::log(0.4), 1e-12);
  EXPECT_NEAR(bins.LogLikelihood(survival, 60, true), std::log(1e-9), 1e-12);
  EXPECT_NEAR(bins.LogLikelihood(survival, 1000, true), std::log(0.4), 1e-12);
  // Seen to last so long: at least as long as the edge below.
  EXPECT_NEAR(bins.LogLikelihood(survival, 3, false), 0.0, 1e-12);
  EXPECT_NEAR(bins.LogLikelihood(survival, 60, false), std::log(0.4), 1e-12);
  EXPECT_NEAR(bins.Median(survival), std::exp(std::log(26.0) + 0.75 * std::log(51.0 / 26.0)), 1e-9);
  // Equal waits share a bin.
  EXPECT_EQ(WaitBins({1, 1, 1, 1, 1, 1, 7, 8}, 8).size(), 3);
  EXPECT_EQ(WaitBins({5, 5, 5}, 8).size(), 1);
}

TEST(NextTimeBaselines, AreTheDistributionsTheySay) {
  const WaitBins bins({1, 2, 4, 8, 16}, 5);
  KnownWaits known;
  known.own.count = 2;
  known.own.seconds = 20.0;
  known.own.log = 2 * std::log(10.0);
  known.own.log_square = 2 * (std::log(10.0) * std::log(10.0) + 1.0);
  known.all = known.own;
  const WaitPrediction exponential = ExponentialPrediction(known, 3.0, bins);
  const WaitPrediction normal = LogNormalPrediction(known, 3.0, bins);
  EXPECT_NEAR(exponential.median, 10.0 * std::log(2.0), 1e-9);
  EXPECT_NEAR(normal.median, 10.0, 1e-9);
  ASSERT_EQ(exponential.survival.size(), bins.edges().size());
  EXPECT_NEAR(exponential.survival[2], std::exp(-8.0 / 10.0), 1e-9);
  // One deviation of the logarithm below and above.
  const WaitBins wide({1, 10.0 / std::exp(1.0), 10.0, 10.0 * std::exp(1.0)}, 4);
  const WaitPrediction around = LogNormalPrediction(known, 1.0, wide);
  EXPECT_NEAR(around.survival[0], 0.8413447, 1e-6);
  EXPECT_NEAR(around.survival[1], 0.5, 1e-9);
  EXPECT_NEAR(around.survival[2], 0.1586553, 1e-6);
}

}  // namespace
}  // namespace weft::operators::link
