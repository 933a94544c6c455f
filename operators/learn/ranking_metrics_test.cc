#include "operators/learn/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
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

TEST(RankingMetrics, MeanRankIsThatOfAllOrdersOfEqualScores) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const auto positive = static_cast<float>(random() % 5);
    std::vector<float> others(random() % 20);
    for (float& score : others) score = static_cast<float>(random() % 5);
    // The best and the worst place in a sorted list.
    std::vector<float> all = others;
    all.push_back(positive);
    std::sort(all.begin(), all.end(), std::greater<>());
    const auto best = std::find(all.begin(), all.end(), positive) - all.begin() + 1;
    const auto worst = all.rend() - std::find(all.rbegin(), all.rend(), positive);
    EXPECT_EQ(MeanRank(positive, others), 0.5 * static_cast<double>(best + worst));
  }
  EXPECT_EQ(MeanRank(1.0f, {}), 1.0);
}

// By the definition, for scores that all differ: bins as index lists.
double NaiveCalibrationError(const std::map<float, int>& came, std::size_t bins) {
  std::vector<std::vector<std::pair<float, int>>> bin(bins);
  std::size_t place = 0;
  for (const auto& entry : came) {
    std::size_t b = 0;
    while (place >= came.size() * (b + 1) / bins) ++b;
    bin[b].push_back(entry);
    ++place;
  }
  double error = 0;
  for (const auto& entries : bin) {
    if (entries.empty()) continue;
    double score = 0, rate = 0;
    const auto count = static_cast<double>(entries.size());
    for (const auto& [s, label] : entries) score += s / count, rate += label / count;
    error += count / static_cast<double>(came.size()) * std::abs(score - rate);
  }
  return error;
}

TEST(RankingMetrics, CalibrationErrorAgreesWithTheDefinition) {
  std::mt19937 random(5);
  for (const std::size_t count : {1u, 7u, 15u, 100u, 1000u}) {
    std::map<float, int> came;
    while (came.size() < count)
      came[static_cast<float>(random() % 100'000) / 1e5f] = static_cast<int>(random() % 2);
    std::vector<float> positive, negative;
    for (const auto& [score, label] : came) (label == 1 ? positive : negative).push_back(score);
    EXPECT_NEAR(CalibrationError(Reliability(positive, negative)), NaiveCalibrationError(came, 15),
                1e-6);
    EXPECT_NEAR(CalibrationError(Reliability(positive, negative, 4)),
                NaiveCalibrationError(came, 4), 1e-6);
  }
}

TEST(RankingMetrics, CalibrationErrorOfEqualScoresIsThatOfTheirShare) {
  // 30 of 40 scores of 1 are positives, and 10 of 60 scores of 0: wherever bins are cut.
  std::vector<float> positive(30, 1.0f), negative(10, 1.0f);
  positive.insert(positive.end(), 10, 0.0f);
  negative.insert(negative.end(), 50, 0.0f);
  const double expected = 0.4 * 0.25 + 0.6 / 6.0;
  EXPECT_NEAR(CalibrationError(Reliability(positive, negative, 5)), expected,
              1e-12);  // cut at 20, 40, ...
  EXPECT_NEAR(CalibrationError(Reliability(positive, negative, 100)), expected, 1e-12);
  EXPECT_NEAR(CalibrationError(Reliability(positive, negative, 1)), std::abs(0.4 - 0.4), 1e-12);
  EXPECT_EQ(CalibrationError(Reliability({}, {})), 0.0);
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
  EXPECT_NEAR(window.LogLoss(), -(std::log(0.5) + std::log(0.75)) / 2, 1e-6);
  window.Add(0.f, 1.f);
  EXPECT_TRUE(std::isfinite(window.LogLoss()));
}

TEST(RankWindow, IsAboutTheLatestRanks) {
  RankWindow window(3);
  EXPECT_EQ(window.MeanReciprocalRank(), 0.0);
  for (const float rank : {100.0f, 1.0f, 2.0f, 4.0f}) window.Add(rank);
  EXPECT_DOUBLE_EQ(window.MeanReciprocalRank(), (1.0 + 0.5 + 0.25) / 3.0);
  EXPECT_EQ(window.size(), 3);
  EXPECT_EQ(window.added(), 4);
  RankWindow restored(3);
  ASSERT_TRUE(restored.Restore({window.ranks().begin(), window.ranks().end()}, window.added()));
  window.Add(10.0f);
  restored.Add(10.0f);
  EXPECT_EQ(restored.MeanReciprocalRank(), window.MeanReciprocalRank());
  EXPECT_FALSE(restored.Restore({1.0f, 2.0f}, 5));
  EXPECT_FALSE(restored.Restore({0.0f}, 1));
  EXPECT_FALSE(restored.Restore({1.0f, 1.0f, 1.0f, 1.0f}, 4));
}

}  // namespace
}  // namespace weft::operators::learn
