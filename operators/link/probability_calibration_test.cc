#include "operators/link/probability_calibration.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/learn/ranking_metrics.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

using Calibration = ProbabilityCalibration;

double Sigmoid(double logit) { return 1.0 / (1.0 + std::exp(-logit)); }

double CentreOf(std::size_t bin) {
  return Calibration::kFirst + Calibration::kWidth * (static_cast<double>(bin) + 0.5);
}

// What the class should make of the counts: isotonic regression by its min-max definition.
struct Oracle {
  std::vector<double> pairs = std::vector<double>(Calibration::kBins);
  std::vector<double> happened = pairs;

  void Add(double logit, bool came) {
    const double bin = std::floor((logit - Calibration::kFirst) / Calibration::kWidth);
    const auto at = static_cast<std::size_t>(std::clamp(bin, 0.0, Calibration::kBins - 1.0));
    pairs[at] += 1;
    happened[at] += came ? 1 : 0;
  }
  void Fade(double by) {
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] *= by, happened[i] *= by;
  }
  double Mean(std::size_t first, std::size_t last) const {
    double all = 0, came = 0;
    for (std::size_t i = first; i <= last; ++i) {
      const double prior = Calibration::kPrior / Calibration::kBins;
      all += pairs[i] + prior;
      came += happened[i] + prior * Sigmoid(CentreOf(i));
    }
    return came / all;
  }
  std::vector<double> Fit() const {
    std::vector<double> log_odds;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      double best = 0;
      for (std::size_t first = 0; first <= i; ++first) {
        double least = 1;
        for (std::size_t last = i; last < pairs.size(); ++last)
          least = std::min(least, Mean(first, last));
        best = std::max(best, least);
      }
      const double fitted = std::log(best / (1 - best));
      log_odds.push_back(i == 0 ? fitted : std::max(fitted, log_odds[i - 1] + 0.3 * 0.5));
    }
    return log_odds;
  }
};

TEST(ProbabilityCalibration, IsTheSigmoidAtFirst) {
  const Calibration calibration;
  for (float logit = -20.0f; logit < 20.0f; logit += 0.37f)
    EXPECT_NEAR(calibration.Probability(logit), Sigmoid(logit), 1e-4) << logit;
}

TEST(ProbabilityCalibration, AgreesWithTheDefinitionOfIsotonicRegression) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> share;
  std::normal_distribution<float> normal(0.5f, 3.0f);
  Calibration calibration;
  Oracle oracle;
  for (int fold = 0; fold < 12; ++fold) {
    for (int i = 0; i < 192 + 64 * fold; ++i) {
      if (i % 64 == 0) oracle.Fade(Calibration::kMemory / (Calibration::kMemory + 64));
      const float logit = normal(random);
      // Not even rising, so that there is something to pool.
      const bool came = share(random) < 0.5 + 0.4 * std::sin(logit);
      calibration.Add(logit, came);
      oracle.Add(logit, came);
    }
    calibration.Publish();
    const std::vector<double> expected = oracle.Fit();
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(calibration.Probability(static_cast<float>(CentreOf(i))), Sigmoid(expected[i]),
                  1e-5);
    const double between = 0.25 * expected[31] + 0.75 * expected[32];
    const auto logit = static_cast<float>(0.25 * CentreOf(31) + 0.75 * CentreOf(32));
    EXPECT_NEAR(calibration.Probability(logit), Sigmoid(between), 1e-5);
    for (float at = -12.0f; at < 12.0f; at += 0.0625f)
      EXPECT_LT(calibration.Probability(at), calibration.Probability(at + 0.0625f));
  }
}

TEST(ProbabilityCalibration, MakesProbabilitiesMeanWhatTheySay) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> share;
  std::normal_distribution<float> normal(0.0f, 2.0f);
  Calibration calibration;
  std::vector<float> raw[2], calibrated[2];
  for (int i = 0; i < 30'000; ++i) {
    // The model is too sure of itself, and thinks too much happens.
    const float logit = normal(random);
    const bool came = share(random) < Sigmoid(0.4 * logit - 0.5);
    raw[came ? 0 : 1].push_back(static_cast<float>(Sigmoid(logit)));
    calibrated[came ? 0 : 1].push_back(calibration.Probability(logit));
    calibration.Add(logit, came);
    calibration.Publish();
  }
  EXPECT_GT(learn::CalibrationError(learn::Reliability(raw[0], raw[1])), 0.15);
  EXPECT_LT(learn::CalibrationError(learn::Reliability(calibrated[0], calibrated[1])), 0.015);
}

TEST(ProbabilityCalibration, KnowsWhatWasAddedFromTheNextPublishOn) {
  Calibration calibration, often;
  for (int i = 0; i < 640; ++i) {
    calibration.Add(static_cast<float>(i % 9), i % 10 == 0);
    often.Add(static_cast<float>(i % 9), i % 10 == 0);
    often.Publish();
    EXPECT_EQ(calibration.Probability(2.0f), Calibration().Probability(2.0f));
  }
  EXPECT_FALSE(calibration == often);
  calibration.Publish();
  EXPECT_TRUE(calibration == often);
  EXPECT_LT(calibration.Probability(2.0f), 0.5f);
  const float before = calibration.Probability(2.0f);
  for (int i = 0; i < 63; ++i) calibration.Add(2.0f, true);  // one is missing
  calibration.Publish();
  EXPECT_EQ(calibration.Probability(2.0f), before);
  calibration.Add(2.0f, true);
  calibration.Publish();
  EXPECT_GT(calibration.Probability(2.0f), before);
}

TEST(ProbabilityCalibration, GoesOnFromWhatWasSavedAndRefusesWhatCannotBe) {
  Calibration calibration;
  for (int i = 0; i < 500; ++i) calibration.Add(static_cast<float>(i % 20) - 9.0f, i % 7 < 3);
  calibration.Publish();
  calibration.Add(1.0f, true);
  MemoryCheckpoint saved;
  ASSERT_TRUE(calibration.Save("c", saved).ok());
  Calibration other;
  MemoryCheckpointReader reader(saved);
  ASSERT_TRUE(other.Load("c", reader).ok());
  EXPECT_TRUE(other == calibration);
  const auto refused = [](std::string bytes) {
    MemoryCheckpoint wrong;
    EXPECT_TRUE(wrong.Write("c", std::as_bytes(std::span(bytes))).ok());
    MemoryCheckpointReader wrong_reader(wrong);
    Calibration loaded;
    return absl::IsDataLoss(loaded.Load("c", wrong_reader)) && loaded == Calibration();
  };
  const std::string bytes = saved.sections().find("c")->second;
  EXPECT_TRUE(refused(bytes.substr(8)));
  std::string negative = bytes;
  negative[7] = static_cast<char>(0xff);  // the sign of the first count
  EXPECT_TRUE(refused(negative));
}

}  // namespace
}  // namespace weft::operators::link
