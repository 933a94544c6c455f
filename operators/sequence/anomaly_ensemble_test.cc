#include "operators/sequence/anomaly_ensemble.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"

namespace weft::operators::sequence {
namespace {

constexpr graph::TimeUs kStep = std::int64_t{5} * 60 * 1'000'000;

// A daily curve with noise, and what is done to it.
template <class Change>
std::vector<AnomalyVerdict> VerdictsOf(int count, Change change) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  AnomalyEnsemble ensemble;
  std::vector<AnomalyVerdict> verdicts;
  for (int i = 0; i < count; ++i) {
    const double value = 10.0 + 3.0 * std::sin(i * 2.0 * M_PI / 288.0) + 0.3 * normal(random);
    verdicts.push_back(ensemble.Next(i * kStep, change(i, value)));
  }
  return verdicts;
}

double Most(const std::vector<AnomalyVerdict>& verdicts, int begin, int end) {
  double most = 0.0;
  for (int i = begin; i < end; ++i)
    most = std::max(most, verdicts[static_cast<std::size_t>(i)].score);
  return most;
}

TEST(AnomalyEnsemble, RanksWhatIsUnusualHighest) {
  const auto spike = VerdictsOf(4000, [](int i, double value) { return i == 3500 ? 30.0 : value; });
  const auto flat =
      VerdictsOf(4000, [](int i, double value) { return i >= 3500 && i < 3600 ? 10.0 : value; });
  const auto shift = VerdictsOf(
      4000, [](int i, double value) { return i >= 3500 && i < 3560 ? value + 4.0 : value; });
  for (const auto* verdicts : {&spike, &flat, &shift}) {
    EXPECT_GT(Most(*verdicts, 3500, 3600), Most(*verdicts, 1000, 3500));
    EXPECT_GT(Most(*verdicts, 3500, 3600), AnomalyEnsemble::kAlarm);
  }
}

TEST(AnomalyEnsemble, AlarmsArePeaksOfTheScore) {
  const auto verdicts =
      VerdictsOf(6000, [](int i, double value) { return i % 1500 > 1400 ? value + 5.0 : value; });
  int alarms = 0;
  for (const AnomalyVerdict& verdict : verdicts) {
    if (verdict.alarm == 0.0) continue;
    EXPECT_EQ(verdict.alarm, verdict.score);
    alarms += verdict.alarm >= AnomalyEnsemble::kAlarm ? 1 : 0;
  }
  EXPECT_GE(alarms, 3);
  EXPECT_LE(alarms, 25);
}

TEST(AnomalyEnsemble, SaysNothingOfAConstant) {
  const auto verdicts = VerdictsOf(5000, [](int, double) { return 42.0; });
  for (const AnomalyVerdict& verdict : verdicts) {
    EXPECT_EQ(verdict.alarm, 0.0);
    EXPECT_LT(verdict.score, AnomalyEnsemble::kAlarm);
  }
}

TEST(AnomalyEnsemble, DoesNotMindScaleAndMissingValues) {
  const auto change = [](int i, double value) { return i == 3500 ? 30.0 : value; };
  const auto plain = VerdictsOf(4000, change);
  const auto scaled =
      VerdictsOf(4000, [&](int i, double value) { return 1e4 * change(i, value) - 3.0; });
  double apart = 0.0;
  for (std::size_t i = 0; i < plain.size(); ++i)
    apart += std::abs(plain[i].score - scaled[i].score) / static_cast<double>(plain.size());
  EXPECT_LT(apart, 0.01);
  const auto holes = VerdictsOf(
      4000, [&](int i, double value) { return i % 20 == 7 ? std::nan("") : change(i, value); });
  EXPECT_GT(Most(holes, 3500, 3520), Most(holes, 1000, 3500));
  const auto nothing = VerdictsOf(500, [](int, double) { return std::nan(""); });
  EXPECT_LT(Most(nothing, 0, 500), 1e-5);
  const auto infinite =
      VerdictsOf(500, [](int i, double value) { return i == 300 ? INFINITY : value; });
  EXPECT_TRUE(std::isfinite(Most(infinite, 0, 500)));
}

TEST(AnomalyEnsemble, GetsUsedToALastingChange) {
  const auto verdicts =
      VerdictsOf(9000, [](int i, double value) { return i < 4000 ? value : 10.0 * value; });
  EXPECT_GT(Most(verdicts, 4000, 4010), AnomalyEnsemble::kAlarm);
  int late_alarms = 0;
  for (std::size_t i = 5000; i < 9000; ++i)
    late_alarms += verdicts[i].alarm >= AnomalyEnsemble::kAlarm ? 1 : 0;
  EXPECT_LE(late_alarms, 4);
}

// In a series that has become a tenth of what it was, or ten times as large, a flat stretch is
// found as it was before the change.
TEST(AnomalyEnsemble, SeesAsMuchAtANewScale) {
  for (const double factor : {0.1, 10.0}) {
    const auto verdicts = VerdictsOf(9000, [factor](int i, double value) {
      const double flat = i >= 7500 && i < 7600 ? 10.0 : value;
      return i < 4000 ? value : factor * flat;
    });
    EXPECT_GT(Most(verdicts, 4000, 4010), AnomalyEnsemble::kAlarm) << factor;
    EXPECT_GT(Most(verdicts, 7500, 7600), AnomalyEnsemble::kAlarm) << factor;
    EXPECT_GT(Most(verdicts, 7500, 7600), 1.5 * Most(verdicts, 5500, 7500)) << factor;
  }
}

TEST(AnomalyEnsemble, SaysNothingOfTheFirstFew) {
  const auto verdicts = VerdictsOf(20, [](int i, double value) { return i * value; });
  EXPECT_LT(Most(verdicts, 0, 20), 1e-5);
}

// The rest of the series changes nothing that was said before.
TEST(AnomalyEnsemble, DoesNotKnowTheFuture) {
  const auto plain = VerdictsOf(3000, [](int, double value) { return value; });
  const auto other =
      VerdictsOf(3000, [](int i, double value) { return i < 1801 ? value : 50.0 * value; });
  for (std::size_t i = 0; i < 1801; ++i) {
    ASSERT_EQ(plain[i].score, other[i].score) << i;
    ASSERT_EQ(plain[i].alarm, other[i].alarm) << i;
  }
}

TEST(AnomalyEnsemble, GoesOnAfterSaveAndLoadInBoundedMemory) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  AnomalyEnsemble ensemble, restored;
  for (int i = 0; i < 30'000; ++i) ensemble.Next(i * kStep, normal(random));
  EXPECT_LT(ensemble.bytes(), 1'500'000u);
  cache::SaveAndLoad(ensemble, restored);
  for (int i = 30'000; i < 30'500; ++i) {
    const double value = normal(random);
    ASSERT_EQ(ensemble.Next(i * kStep, value).score, restored.Next(i * kStep, value).score);
  }
}

}  // namespace
}  // namespace weft::operators::sequence
