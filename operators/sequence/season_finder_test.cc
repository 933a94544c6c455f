#include "operators/sequence/season_finder.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/sequence_forecaster.h"

namespace weft::operators::sequence {
namespace {

constexpr graph::TimeUs kSecondUs = 1'000'000;

// A wave of some form that repeats itself after so many records, -1 to 1.
double Wave(double record, double period) {
  const double angle = 2.0 * std::numbers::pi * record / period;
  return 0.7 * std::sin(angle) + 0.3 * std::sin(3.0 * angle + 1.0);
}

// The season in seconds that is found of `count` records a second apart.
double SecondsOf(int count, const std::function<double(int)>& value, SeasonFinder& finder,
                 graph::TimeUs step_us = kSecondUs) {
  for (int i = 0; i < count; ++i) finder.Next(i * step_us, value(i));
  return static_cast<double>(finder.season().period_us) / 1e6;
}

TEST(SeasonFinder, FindsAfterHowManyRecordsASeriesRepeatsItself) {
  for (const double period : {12.0, 77.0, 100.4, 433.0}) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    SeasonFinder finder;
    const auto value = [&](int i) { return 50.0 + 10.0 * Wave(i, period) + 3.0 * normal(random); };
    EXPECT_NEAR(SecondsOf(3000, value, finder), period, 0.01 * period);
  }
}

TEST(SeasonFinder, KeepsToTheDayWhereThereIsNothingElse) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  SeasonFinder noise, constant, walk, day, week;
  double at = 0.0;
  const auto walks = [&](int) { return at += normal(random); };
  constexpr double kDay = 86'400.0;
  EXPECT_EQ(SecondsOf(
                6000, [&](int) { return normal(random); }, noise),
            kDay);
  EXPECT_EQ(SecondsOf(
                3000, [](int) { return 7.0; }, constant),
            kDay);
  EXPECT_EQ(SecondsOf(6000, walks, walk), kDay);
  const auto daily = [&](int i) { return 10.0 * Wave(i, 48.0) + normal(random); };
  EXPECT_EQ(SecondsOf(3000, daily, day, kSlotUs), kDay);
  // Days off are half as high.
  const auto weekly = [&](int i) {
    return (i / 48 % 7 >= 5 ? 5.0 : 10.0) * (2.0 + Wave(i, 48.0)) + normal(random);
  };
  EXPECT_EQ(SecondsOf(5000, weekly, week, kSlotUs), kDay);
}

TEST(SeasonFinder, FollowsASeriesThatTakesUpAnotherSeason) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  SeasonFinder finder, restored;
  const auto value = [&](int i) { return 10.0 * Wave(i, i < 4000 ? 50.0 : 77.0) + normal(random); };
  for (int i = 0; i < 4000; ++i) finder.Next(i * kSecondUs, value(i));
  EXPECT_NEAR(static_cast<double>(finder.season().period_us), 50e6, 0.5e6);
  cache::SaveAndLoad(finder, restored);
  for (int i = 4000; i < 20'000; ++i) {
    const double next = value(i);
    finder.Next(i * kSecondUs, next);
    restored.Next(i * kSecondUs, next);
    ASSERT_EQ(finder.has_changed(), restored.has_changed());
  }
  EXPECT_NEAR(static_cast<double>(restored.season().period_us), 77e6, 0.8e6);
}

// A machine that does the same every 77 seconds: no day would tell where it will be.
TEST(SequenceForecaster, ForetellsASeasonThatIsNoDay) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  SequenceForecaster forecaster({.horizons = {20}});
  double error = 0.0, of_persistence = 0.0, scored = 0.0;
  std::vector<double> said, values;
  for (int i = 0; i < 6000; ++i) {
    values.push_back(50.0 + 10.0 * Wave(i, 77.0) + normal(random));
    if (i >= 4000) {
      error += std::abs(values.back() - said[static_cast<std::size_t>(i - 20)]);
      of_persistence += std::abs(values.back() - values[static_cast<std::size_t>(i - 20)]);
      scored += 1.0;
    }
    forecaster.Next(i * kSecondUs, values.back());
    said.push_back(forecaster.latest().is_known() ? forecaster.latest().mean : 50.0);
  }
  // The noise alone is .8.
  EXPECT_LT(error / scored, 1.1);
  EXPECT_GT(of_persistence / scored, 4.0);
}

// It stays at a height that is common, but not then.
TEST(AnomalyEnsemble, SeesWhatIsUnusualAtThisPartOfASeasonThatIsNoDay) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  AnomalyEnsemble ensemble;
  double usual = 0.0, unusual = 0.0;
  for (int i = 0; i < 5000; ++i) {
    const bool is_stuck = i >= 4500 && i < 4512;
    const double wave = is_stuck ? Wave(4500, 77.0) : Wave(i, 77.0);
    const AnomalyVerdict verdict =
        ensemble.Next(i * kSecondUs, 50.0 + 10.0 * wave + 0.5 * normal(random));
    if (i >= 4000 && i < 4500) usual = std::max(usual, verdict.by_expert[kSeason]);
    if (is_stuck) unusual = std::max(unusual, verdict.by_expert[kSeason]);
  }
  EXPECT_NEAR(static_cast<double>(ensemble.season_finder().season().period_us), 77e6, 0.5e6);
  EXPECT_GT(unusual, usual + 0.5);
}

}  // namespace
}  // namespace weft::operators::sequence
