#include "operators/link/coverage_window.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

// The definition, from all scores that there ever were.
CoverageEstimate Naive(const std::vector<float>& scores, double coverage) {
  constexpr auto kMost = static_cast<std::size_t>(CoverageWindow::kScores);
  const std::size_t kept = std::min(scores.size(), 2 * kMost);
  const std::vector<float> latest(scores.end() - static_cast<std::ptrdiff_t>(kept), scores.end());
  const auto threshold = [&](std::size_t before, double level) {
    const std::size_t first = before > kMost ? before - kMost : 0;
    std::vector<float> past(latest.begin() + static_cast<std::ptrdiff_t>(first),
                            latest.begin() + static_cast<std::ptrdiff_t>(before));
    std::sort(past.begin(), past.end());
    const double rank = (static_cast<double>(past.size()) + 1) * (1 - level) + 1e-9;
    if (rank < 1) return CoverageEstimate::kNoThreshold;
    return past[std::min(static_cast<std::size_t>(rank), past.size()) - 1];
  };
  CoverageEstimate estimate{.coverage = coverage};
  double level = coverage, held = 0;
  for (std::size_t i = std::min(kept / 2, kMost); i < kept; ++i) {
    const double in_set = latest[i] >= threshold(i, level) ? 1 : 0;
    held += in_set;
    level = std::clamp(level + 0.02 * (coverage - in_set), 0.0, 1.0);
    ++estimate.events;
  }
  if (estimate.events > 0) estimate.held = held / static_cast<double>(estimate.events);
  if (kept > 0) estimate.threshold = threshold(kept, level);
  return estimate;
}

TEST(CoverageWindow, AgreesWithTheDefinition) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  CoverageWindow window;
  std::vector<float> scores;
  for (int i = 0; i < 2000; ++i) {
    if (i % 111 == 0 || i < 5) {
      for (const double coverage : {0.05, 0.5, 0.9, 0.99}) {
        const CoverageEstimate expected = Naive(scores, coverage);
        const CoverageEstimate found = window.At(coverage);
        EXPECT_EQ(found.threshold, expected.threshold) << i << " at " << coverage;
        EXPECT_EQ(found.events, expected.events);
        EXPECT_EQ(found.held, expected.held);
      }
    }
    // With ties.
    scores.push_back(std::round(normal(random) * 8));
    window.Add(scores.back());
  }
}

TEST(CoverageWindow, HoldsWhatItPromisesOnAStreamThatChanges) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  for (const double coverage : {0.5, 0.9}) {
    CoverageWindow window;
    double held = 0, asked = 0;
    for (int i = 0; i < 6000; ++i) {
      const float score = normal(random) * (i < 3000 ? 1.0f : 3.0f) - static_cast<float>(i) / 1000;
      if (i >= 100) {
        asked += 1;
        held += score >= window.At(coverage).threshold ? 1 : 0;
      }
      window.Add(score);
    }
    EXPECT_NEAR(held / asked, coverage, 0.02);
    EXPECT_NEAR(window.At(coverage).held, coverage, 0.02);
  }
}

TEST(CoverageWindow, WithoutAPastEveryCandidateIsInTheSet) {
  CoverageWindow window;
  EXPECT_EQ(window.At(0.9).threshold, CoverageEstimate::kNoThreshold);
  EXPECT_EQ(window.At(0.9).events, 0);
  for (int i = 0; i < 4; ++i) window.Add(static_cast<float>(i));
  EXPECT_EQ(window.At(0.95).threshold, CoverageEstimate::kNoThreshold);
}

TEST(CoverageWindow, GoesOnFromWhatWasSavedAndRefusesWhatCannotBe) {
  for (const int count : {0, 10, 1500}) {
    CoverageWindow window, other;
    for (int i = 0; i < count; ++i) window.Add(static_cast<float>(i * 37 % 101));
    MemoryCheckpoint saved;
    ASSERT_TRUE(window.Save("c", saved).ok());
    MemoryCheckpointReader reader(saved);
    ASSERT_TRUE(other.Load("c", reader).ok());
    window.Add(3.0f);
    other.Add(3.0f);
    EXPECT_EQ(other.At(0.8).threshold, window.At(0.8).threshold);
    EXPECT_EQ(other.At(0.8).held, window.At(0.8).held);
    std::string bytes = saved.sections().find("c")->second;
    bytes[7] = 1;
    MemoryCheckpoint wrong;
    ASSERT_TRUE(wrong.Write("c", std::as_bytes(std::span(bytes))).ok());
    MemoryCheckpointReader wrong_reader(wrong);
    EXPECT_TRUE(absl::IsDataLoss(other.Load("c", wrong_reader)));
  }
}

}  // namespace
}  // namespace weft::operators::link
