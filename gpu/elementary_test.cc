// The elementary functions against long double, and the promise that a vectorised loop has the
// scalar's bits.
#include "gpu/elementary.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace weft::gpu {
namespace {

// Distance in units in the last place of the true value.
double UlpError(float got, long double expected) {
  const float rounded = static_cast<float>(expected);
  const float next = std::nextafter(rounded, std::numeric_limits<float>::infinity());
  const long double ulp = static_cast<long double>(next) - static_cast<long double>(rounded);
  return static_cast<double>(std::abs(static_cast<long double>(got) - expected) / ulp);
}

// `kFunction` is no parameter, because a function that is always inlined cannot be called through a
// pointer.
template <float (*kFunction)(float), class Oracle>
double WorstUlp(float low, float high, Oracle oracle) {
  constexpr int kSteps = 2'000'000;
  double worst = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const float x = low + (high - low) * static_cast<float>(i) / kSteps;
    worst = std::max(worst, UlpError(kFunction(x), oracle(static_cast<long double>(x))));
  }
  return worst;
}

TEST(Elementary, ErrorsStayWithinTheDocumentedUlps) {
  const auto exp_oracle = [](long double x) { return std::exp(x); };
  EXPECT_LE(WorstUlp<Exp>(-87.3f, 88.0f, exp_oracle), 2.0);
  EXPECT_LE(WorstUlp<Exp>(-1.0f, 1.0f, exp_oracle), 2.0);
  const auto log_oracle = [](long double x) { return std::log(x); };
  EXPECT_LE(WorstUlp<Log>(1e-30f, 0.9f, log_oracle), 2.0);
  EXPECT_LE(WorstUlp<Log>(0.9f, 1.1f, log_oracle), 2.0);
  EXPECT_LE(WorstUlp<Log>(1.1f, 1e30f, log_oracle), 2.0);
  const auto log1p_oracle = [](long double x) { return std::log1p(x); };
  EXPECT_LE(WorstUlp<Log1p>(1e-12f, 1e-3f, log1p_oracle), 3.0);
  EXPECT_LE(WorstUlp<Log1p>(1e-3f, 10.0f, log1p_oracle), 3.0);
  EXPECT_LE(WorstUlp<Log1p>(10.0f, 1e20f, log1p_oracle), 3.0);
  const auto tanh_oracle = [](long double x) { return std::tanh(x); };
  EXPECT_LE(WorstUlp<Tanh>(-0.01f, 0.01f, tanh_oracle), 4.0);
  EXPECT_LE(WorstUlp<Tanh>(-12.0f, 12.0f, tanh_oracle), 4.0);
  const auto sigmoid_oracle = [](long double x) { return 1.0L / (1.0L + std::exp(-x)); };
  EXPECT_LE(WorstUlp<Sigmoid>(-80.0f, 30.0f, sigmoid_oracle), 4.0);
}

TEST(Elementary, EndsOfTheRange) {
  EXPECT_EQ(Exp(0.0f), 1.0f);
  EXPECT_EQ(Exp(-200.0f), 0.0f);
  EXPECT_TRUE(std::isfinite(Exp(1e30f)));
  EXPECT_EQ(Log(1.0f), 0.0f);
  EXPECT_EQ(Log1p(0.0f), 0.0f);
  EXPECT_EQ(Tanh(0.0f), 0.0f);
  EXPECT_EQ(Tanh(1e30f), 1.0f);
  EXPECT_EQ(Tanh(-1e30f), -1.0f);
  EXPECT_EQ(Sigmoid(0.0f), 0.5f);
  EXPECT_EQ(Sigmoid(1e30f), 1.0f);
  EXPECT_LT(Sigmoid(-1e30f), 1e-36f);
}

// One call at a time, kept from being vectorised.
__attribute__((noinline)) float ScalarTanh(float x) { return Tanh(x); }
__attribute__((noinline)) float ScalarLog1p(float x) { return Log1p(x); }

TEST(Elementary, VectorisedLoopsHaveTheBitsOfTheScalarFunction) {
  std::vector<float> x(4099), tanh(x.size()), log1p(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.003f;
  for (std::size_t i = 0; i < x.size(); ++i) tanh[i] = Tanh(x[i]);
  for (std::size_t i = 0; i < x.size(); ++i) log1p[i] = Log1p(x[i]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(BitsOf(tanh[i]), BitsOf(ScalarTanh(x[i])));
    EXPECT_EQ(BitsOf(log1p[i]), BitsOf(ScalarLog1p(x[i])));
  }
}

TEST(Elementary, BitsAtAreThoseOfTheWords) {
  std::vector<std::uint32_t> bits(2048);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = Mix32(static_cast<std::uint32_t>(i));
  for (std::int64_t count = 0; count < 40; ++count) {
    const std::int64_t padded = (count + kReadPadding - 1) / kReadPadding * kReadPadding;
    std::vector<std::uint16_t> places(static_cast<std::size_t>(padded));
    for (std::size_t i = 0; i < places.size(); ++i)
      places[i] = static_cast<std::uint16_t>(CounterHash(2, static_cast<std::uint64_t>(count), i));
    std::vector<std::int16_t> is_on(places.size(), std::int16_t{-1});
    BitsAt(bits.data(), places.data(), count, is_on.data());
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      EXPECT_EQ(is_on[i], static_cast<std::int16_t>(bits[places[i] / 32] >> (places[i] % 32) & 1));
  }
}

}  // namespace
}  // namespace weft::gpu
