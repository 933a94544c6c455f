#include "operators/sequence/detection_score.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weft::operators::sequence {
namespace {

// 1,000 records with windows [300, 400) and [700, 800).
ScoredSeries Series(std::initializer_list<std::pair<std::size_t, double>> alarms) {
  ScoredSeries series;
  series.score.resize(1000);
  for (const auto& [at, score] : alarms) series.score[at] = score;
  series.windows = {{300, 400}, {700, 800}};
  return series;
}

double Sigmoid(double y) { return 2.0 / (1.0 + std::exp(5.0 * y)) - 1.0; }

TEST(DetectionScore, NabRewardsTheFirstDetectionInAWindow) {
  const auto standard = kNabProfiles[0];
  const auto score = [&](std::initializer_list<std::pair<std::size_t, double>> alarms) {
    const ScoredSeries series = Series(alarms);
    return NabScoreAt({&series, 1}, standard, 0.5);
  };
  EXPECT_EQ(score({}), 0.0);
  EXPECT_NEAR(score({{300, 1.0}, {700, 1.0}}), 100.0, 1e-9);
  const double half = Sigmoid(-0.5) / Sigmoid(-1.0);
  EXPECT_NEAR(score({{350, 1.0}}), 100.0 * (1.0 + half) / 4.0, 1e-9);
  EXPECT_NEAR(score({{350, 1.0}, {360, 1.0}}), score({{350, 1.0}}), 1e-9);
  // Ahead of the first window a false alarm costs all, behind one the less the nearer.
  EXPECT_NEAR(score({{350, 1.0}, {200, 1.0}}), score({{350, 1.0}}) - 100.0 * 0.11 / 4.0, 1e-9);
  EXPECT_NEAR(score({{350, 1.0}, {410, 1.0}}),
              score({{350, 1.0}}) + 100.0 * 0.11 * Sigmoid(11.0 / 99.0) / 4.0, 1e-9);
  // The first 150 records do not count.
  EXPECT_EQ(score({{149, 1.0}}), 0.0);
}

TEST(DetectionScore, NabChoosesOneThresholdForAll) {
  const ScoredSeries series[] = {Series({{300, 0.9}, {200, 0.4}, {700, 0.3}}),
                                 Series({{300, 0.8}, {100, 1.0}})};
  for (const NabProfile& profile : kNabProfiles) {
    const NabScore best = BestNabScore(series, profile);
    double highest = 0.0;
    for (const double threshold : {0.95, 0.9, 0.8, 0.4, 0.3})
      highest = std::max(highest, NabScoreAt(series, profile, threshold));
    EXPECT_NEAR(best.score, highest, 1e-9);
    EXPECT_NEAR(best.score, NabScoreAt(series, profile, best.threshold), 1e-9);
  }
}

TEST(DetectionScore, CompositeF1IsOfPointsAndWindows) {
  const ScoredSeries series = Series({{300, 1.0}, {301, 1.0}, {500, 1.0}});
  // Two of three points right, one of two windows found.
  EXPECT_NEAR(CompositeF1({&series, 1}), 2.0 * (2.0 / 3.0) * 0.5 / (2.0 / 3.0 + 0.5), 1e-9);
  const ScoredSeries nothing = Series({});
  EXPECT_EQ(CompositeF1({&nothing, 1}), 0.0);
}

TEST(DetectionScore, VolumeLooksAtTheRanking) {
  ScoredSeries series = Series({});
  const double blind = VolumeUnderSurface({&series, 1});
  for (std::size_t i = 0; i < 1000; ++i)
    series.score[i] = (i >= 300 && i < 400) || (i >= 700 && i < 800) ? 1.0 : 0.0;
  const double perfect = VolumeUnderSurface({&series, 1});
  EXPECT_NEAR(blind, 0.3, 0.1);
  EXPECT_GT(perfect, 0.8);
  for (double& score : series.score) score = -score;
  EXPECT_LT(VolumeUnderSurface({&series, 1}), blind + 0.02);
}

}  // namespace
}  // namespace weft::operators::sequence
