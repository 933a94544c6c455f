// The parts of the anomaly ensemble, each against a plain one.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "operators/sequence/burst_likelihood.h"
#include "operators/sequence/discord.h"
#include "operators/sequence/normal_tail.h"
#include "operators/sequence/peak_alarm.h"
#include "operators/sequence/rank_calibration.h"

namespace weft::operators::sequence {
namespace {

TEST(NormalTail, AgreesWithTheComplementaryErrorFunction) {
  for (double z = 0.0; z < 8.0; z += 0.01)
    EXPECT_NEAR(NormalTailLog10(z), -std::log10(0.5 * std::erfc(z / std::sqrt(2.0))), 2e-6) << z;
}

TEST(PeakAlarm, SaysOnePeakAnEvent) {
  PeakAlarm alarm(0.2), restored(0.2);
  const auto count = [](PeakAlarm& of, double score, int records) {
    int alarms = 0;
    for (int i = 0; i < records; ++i) alarms += of.Next(score) > 0.0 ? 1 : 0;
    return alarms;
  };
  EXPECT_EQ(count(alarm, 0.2, 4000), 0);
  EXPECT_EQ(count(alarm, 0.4, 150), 1);  // an event that lasts
  EXPECT_EQ(count(alarm, 0.6, 1), 1);    // the next one, after 150 records
  EXPECT_EQ(count(alarm, 0.9, 100), 0);  // not much higher
  EXPECT_EQ(count(alarm, 0.97, 10), 1);  // much higher
  cache::SaveAndLoad(alarm, restored);
  EXPECT_EQ(count(restored, 0.97, 141), count(alarm, 0.97, 141));
}

TEST(Discord, FindsTheNearestNeighborOfAllThatAreOver) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  for (const int block : {1, 3}) {
    Discord discord({.block = block});
    std::vector<double> blocks;
    double sum = 0.0, first = 0.0;
    for (int i = 0; i < 900; ++i) {
      const double value = std::sin(i * 0.3) + 0.2 * normal(random) + 100.0;
      if (i == 0) first = value;
      sum += value - first;
      const auto found = discord.Next(value, 1.0);
      if (i % block != block - 1) {
        EXPECT_FALSE(found);
        continue;
      }
      blocks.push_back(sum / block);
      sum = 0.0;
      double nearest = 1e9;
      const auto end = std::ssize(blocks);
      for (std::ptrdiff_t other = 7; other + 8 < end; ++other) {
        double squares = 0.0;
        for (std::ptrdiff_t k = 0; k < 8; ++k) {
          const double apart = blocks[static_cast<std::size_t>(end - 1 - k)] -
                               blocks[static_cast<std::size_t>(other - k)];
          squares += apart * apart;
        }
        nearest = std::min(nearest, std::sqrt(squares / 8.0));
      }
      ASSERT_EQ(found.has_value(), end >= 23) << i;
      if (found) {
        EXPECT_NEAR(*found, nearest, 1e-4) << i;
      }
    }
  }
}

TEST(Discord, ForgetsWhatIsTooOldAndGoesOnAfterSaveAndLoad) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  const DiscordOptions options{.block = 1, .value = BlockValue::kExtremum, .dead_zone = true};
  Discord discord(options), restored(options);
  for (int i = 0; i < 12'000; ++i) discord.Next(normal(random), 1.0);
  EXPECT_LT(discord.bytes(), 130'000u);
  cache::SaveAndLoad(discord, restored);
  for (int i = 0; i < 300; ++i) {
    const double value = normal(random);
    ASSERT_EQ(discord.Next(value, 1.0), restored.Next(value, 1.0));
  }
}

TEST(RankCalibration, SaysHowSeldomAStatisticIsAsLarge) {
  std::mt19937_64 random(4);
  std::exponential_distribution<double> exponential;
  RankCalibration ranks;
  double sum = 0.0;
  int above_two = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double rarity = ranks.Next(exponential(random));
    if (i < 150) {
      EXPECT_EQ(rarity, 0.0) << i;
    }
    if (i < 5000) continue;
    sum += rarity;
    above_two += rarity >= 2.0 ? 1 : 0;
  }
  // Of a uniform share u the mean of -log10 u is log10 e, and one in a hundred is above 2.
  EXPECT_NEAR(sum / 15'000, 0.4343, 0.02);
  EXPECT_NEAR(above_two / 15'000.0, 0.01, 0.004);
  EXPECT_GT(ranks.Next(40.0), 4.5);
  EXPECT_LE(ranks.Next(1e9), RankCalibration::kMost);
}

TEST(BurstLikelihood, SeesAHighStretchBegin) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0.0, 0.4);
  BurstLikelihood burst;
  double most = 0.0;
  for (int i = 0; i < 2000; ++i) most = std::max(most, burst.Next(uniform(random)));
  EXPECT_LT(most, 4.5);
  most = 0.0;
  for (int i = 0; i < 12; ++i) most = std::max(most, burst.Next(1.0));
  EXPECT_GT(most, 5.0);
  EXPECT_EQ(burst.Next(1.0), 3.0);
}

}  // namespace
}  // namespace weft::operators::sequence
