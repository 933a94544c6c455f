#include "operators/sequence/sequence_forecaster.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "operators/io/series_reader.h"
#include "operators/sequence/forecast_scoring.h"

namespace weft::operators::sequence {
namespace {

constexpr graph::TimeUs kHalfHour = std::int64_t{30} * 60 * 1'000'000;

struct Data {
  std::vector<graph::TimeUs> time_us;
  std::vector<double> value;
};

template <class Value>
Data Make(std::int64_t count, graph::TimeUs step_us, Value value) {
  Data data;
  for (std::int64_t i = 0; i < count; ++i) {
    data.time_us.push_back(i * step_us);
    data.value.push_back(value(static_cast<double>(i)));
  }
  return data;
}

TEST(SequenceForecaster, KnowsADailyCurve) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const Data data = Make(6000, kHalfHour, [&](double i) {
    return 100.0 + 30.0 * std::sin(i * 2.0 * M_PI / 48.0) + 2.0 * normal(random);
  });
  const auto result = EvaluateForecasts(data.time_us, data.value, {.horizon = 5});
  EXPECT_LT(result.forecast.mape, 0.019);  // the noise alone is .016
  EXPECT_LT(result.forecast.mape, result.seasonal.mape);
  EXPECT_LT(result.forecast.nll, result.histogram.nll + 0.05);
  EXPECT_NEAR(result.forecast.below_p10, 0.1, 0.03);
  EXPECT_NEAR(result.forecast.below_p50, 0.5, 0.05);
  EXPECT_NEAR(result.forecast.below_p90, 0.9, 0.03);
}

TEST(SequenceForecaster, FollowsWhatHasNoSeason) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  double level = 0.0;
  // A step a tenth of a second: days mean nothing.
  const Data data = Make(8000, 100'000, [&](double) { return level += normal(random); });
  const auto result = EvaluateForecasts(data.time_us, data.value, {.horizon = 3});
  EXPECT_LT(result.forecast.nrmse, 1.1 * result.persistence.nrmse);
}

TEST(SequenceForecaster, TakesWhatComes) {
  const auto check = [](const Data& data) {
    SequenceForecaster forecaster({.horizons = {2}});
    for (std::size_t i = 0; i < data.value.size(); ++i) {
      forecaster.Next(data.time_us[i], data.value[i]);
      const Forecast& forecast = forecaster.latest();
      if (!forecast.is_known()) continue;
      ASSERT_TRUE(std::isfinite(forecast.mean)) << i;
      const double low = forecast.Quantile(0.1), high = forecast.Quantile(0.9);
      ASSERT_LE(low, high) << i;
      ASSERT_NEAR(forecast.Below(low), 0.1, 1e-3) << i;
    }
  };
  check(Make(700, kHalfHour, [](double) { return 5.0; }));
  check(Make(700, kHalfHour,
             [](double i) { return std::fmod(i, 9.0) == 0.0 ? std::nan("") : std::fmod(i, 7.0); }));
  check(Make(700, 7 * 48 * kHalfHour, [](double i) { return std::sqrt(i); }));
  check(Make(700, 1, [](double i) { return (i < 350.0 ? 1.0 : 1e6) * std::fmod(i, 5.0); }));
}

TEST(SequenceForecaster, DoesNotKnowTheFutureAndGoesOnAfterSaveAndLoad) {
  const auto value = [](double i) {
    return 10.0 + std::fmod(i, 48.0) + 0.1 * std::fmod(i * 7919.0, 13.0);
  };
  const Data data = Make(2500, kHalfHour, value);
  const ForecasterSettings settings = {.horizons = {1, 5}};
  SequenceForecaster one(settings), restored(settings);
  for (std::size_t i = 0; i < 2000; ++i) one.Next(data.time_us[i], data.value[i]);
  cache::SaveAndLoad(one, restored);
  for (std::size_t i = 2000; i < 2500; ++i) {
    one.Next(data.time_us[i], data.value[i]);
    restored.Next(data.time_us[i], data.value[i]);
    for (std::size_t h = 0; h < 2; ++h)
      ASSERT_EQ(one.horizons()[h].latest().mean, restored.horizons()[h].latest().mean);
  }
  EXPECT_LT(one.bytes(), 600'000u);
}

TEST(SequenceForecaster, HorizonsDoNotKnowOfEachOther) {
  const Data data = Make(1500, kHalfHour, [](double i) { return std::fmod(i * 7919.0, 48.0); });
  SequenceForecaster all({.horizons = {1, 3, 12}}), one({.horizons = {3}});
  for (std::size_t i = 0; i < data.value.size(); ++i) {
    all.Next(data.time_us[i], data.value[i]);
    one.Next(data.time_us[i], data.value[i]);
    ASSERT_EQ(all.horizons()[1].latest().mean, one.latest().mean);
  }
}

std::filesystem::path TaxiFile(const std::string& name) {
  const char* const folder = std::getenv("WEFT_DATA");
  return std::filesystem::path(folder != nullptr ? folder : "../shared/data") / "series/nyc_taxi" /
         name;
}

TEST(SequenceForecaster, TaxisOfNewYork) {
  const std::filesystem::path path = TaxiFile("nyc_taxi.csv");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const auto series = io::LoadSeries(path.string(), {.value = "passenger_count"});
  ASSERT_TRUE(series.ok()) << series.status();
  ASSERT_EQ(series->value.size(), 17'520u);
  const auto result = EvaluateForecasts(series->time_us, series->value, {.horizon = 5});
  EXPECT_EQ(result.scored, 7520);
  EXPECT_LT(result.forecast.mape, 0.053);
  EXPECT_LT(result.forecast.nll, 0.95);
  EXPECT_NEAR(result.seasonal.mape, 0.0881, 0.0005);
  EXPECT_NEAR(result.persistence.mape, 0.322, 0.001);
}

// Mornings go down and evenings up at once, which both models must learn within days.
TEST(SequenceForecaster, TaxisWhoseHoursChange) {
  const std::filesystem::path path = TaxiFile("nyc_taxi_perturb.csv");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const auto series = io::LoadSeries(path.string(), {.value = "passenger_count"});
  ASSERT_TRUE(series.ok()) << series.status();
  SequenceEvaluationOptions options{.horizon = 5, .skip = 13'157, .most = 500};
  EXPECT_LT(EvaluateForecasts(series->time_us, series->value, options).forecast.mape, 0.078);
  options.model = ForecastModel::kHtm;
  EXPECT_LT(EvaluateForecasts(series->time_us, series->value, options).forecast.mape, 0.10);
}

}  // namespace
}  // namespace weft::operators::sequence
