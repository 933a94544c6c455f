#include "operators/learn/ranking_metrics.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::learn {
namespace {

// By the definitions, O(n^2).
RankingScore Naive(const std::vector<float>& positive, const std::vector<float>& negative) {
  RankingScore result{.valid = true};
  for (const float score : positive) {
    double positives_above = 0;
    double negatives_above = 0;
    for (const float other : positive) positives_above += other >= score;
    for (const float other : negative) negatives_above += other >= score;
    result.average_precision += positives_above / (positives_above + negatives_above);
    for (const float other : negative) {
      result.area_under_curve += score > other ? 1.0 : score == other ? 0.5 : 0.0;
    }
  }
  result.average_precision /= static_cast<double>(positive.size());
  result.area_under_curve /= static_cast<double>(positive.size() * negative.size());
  return result;
}

TEST(RankingMetrics, AgreesWithTheDefinition) {
  std::mt19937 random(7);
  for (const int levels : {1, 2, 5, 1000}) {
    for (const std::size_t count : {1u, 2u, 33u, 200u}) {
      std::vector<float> positive(count);
      std::vector<float> negative(count + count / 2);
      for (float& score : positive)
        score = static_cast<float>(random() % levels) + 0.1f * static_cast<float>(levels % 3);
      for (float& score : negative) score = static_cast<float>(random() % levels);
      const RankingScore fast = RankingOf(positive, negative);
      const RankingScore slow = Naive(positive, negative);
      EXPECT_NEAR(fast.average_precision, slow.average_precision, 1e-12);
      EXPECT_NEAR(fast.area_under_curve, slow.area_under_curve, 1e-12);
    }
  }
}

TEST(RankingMetrics, KnownValues) {
  // scikit-learn's documentation example: y = 0 0 1 1, scores .1 .4 .35 .8.
  const RankingScore score = RankingOf(std::vector<float>{.35f, .8f}, std::vector<float>{.1f, .4f});
  EXPECT_NEAR(score.average_precision, 0.8333333, 1e-6);
  EXPECT_NEAR(score.area_under_curve, 0.75, 1e-12);
  EXPECT_FALSE(RankingOf({}, std::vector<float>{1.f}).valid);
  EXPECT_FALSE(RankingOf(std::vector<float>{1.f}, {}).valid);
}

TEST(RankingMetrics, BatchMeanWeighsBatchesAlike) {
  BatchMean mean;
  EXPECT_FALSE(mean.mean().valid);
  mean.Add({.average_precision = 1.0, .area_under_curve = 0.5, .valid = true});
  mean.Add({});
  mean.Add({.average_precision = 0.5, .area_under_curve = 0.0, .valid = true});
  EXPECT_EQ(mean.batch_count(), 2);
  EXPECT_DOUBLE_EQ(mean.mean().average_precision, 0.75);
  EXPECT_DOUBLE_EQ(mean.mean().area_under_curve, 0.25);
}

TEST(RankingWindow, HoldsTheLastEvents) {
  RankingWindow window(50);
  std::vector<float> positive;
  std::vector<float> negative;
  std::mt19937 random(3);
  for (int i = 0; i < 175; ++i) {
    positive.push_back(static_cast<float>(random() % 100) / 100.f);
    negative.push_back(static_cast<float>(random() % 80) / 100.f);
    window.Add(positive.back(), negative.back());
    const std::size_t first = positive.size() > 50 ? positive.size() - 50 : 0;
    const auto last_positive =
        std::vector(positive.begin() + static_cast<std::ptrdiff_t>(first), positive.end());
    const auto last_negative =
        std::vector(negative.begin() + static_cast<std::ptrdiff_t>(first), negative.end());
    EXPECT_NEAR(window.Ranking().average_precision,
                Naive(last_positive, last_negative).average_precision, 1e-12);
  }
  EXPECT_EQ(window.size(), 50);
  EXPECT_EQ(window.added(), 175);
}

TEST(RankingWindow, RestoresOnlyItsOwnState) {
  RankingWindow window(4);
  for (int i = 0; i < 6; ++i) window.Add(static_cast<float>(i), 0.f);
  const std::vector<float> positive(window.positive().begin(), window.positive().end());
  const std::vector<float> negative(window.negative().begin(), window.negative().end());
  RankingWindow other(4);
  ASSERT_TRUE(other.Restore(positive, negative, 6));
  other.Add(9.f, 9.f);
  window.Add(9.f, 9.f);
  EXPECT_EQ(std::vector(other.positive().begin(), other.positive().end()),
            std::vector(window.positive().begin(), window.positive().end()));
  EXPECT_FALSE(RankingWindow(3).Restore(positive, negative, 6));
  EXPECT_FALSE(RankingWindow(5).Restore(positive, negative, 6));
  EXPECT_FALSE(RankingWindow(4).Restore(positive, {}, 6));
}

TEST(RankingWindow, LogLoss) {
  RankingWindow window(4);
  EXPECT_EQ(window.LogLoss(), 0.0);
  window.Add(0.5f, 0.25f);
  EXPECT_NEAR(window.LogLoss(), -(std::log(0.5) + std::log(0.75)) / 2, 1e-12);
  window.Add(0.f, 1.f);
  EXPECT_TRUE(std::isfinite(window.LogLoss()));
}

}  // namespace
}  // namespace weft::operators::learn
