#include "operators/link/model_choice.h"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

using Standings = std::vector<std::optional<Standing>>;

// Of model 0, that learns, and of two others, over 4096 events.
Standings Of(double first, double second, double third) {
  return {Standing{first, 4096}, Standing{second, 4096}, Standing{third, 4096}};
}

TEST(ModelChoice, StaysUntilAnotherIsClearlyBetterTwiceInARow) {
  ModelChoice choice;
  EXPECT_EQ(choice.chosen(), std::nullopt);
  choice.Decide(Of(0.80, 0.86, 0.85), 0);
  EXPECT_EQ(choice.chosen(), 0);
  choice.Decide(Of(0.86, 0.86, 0.85), 0);  // not in a row
  choice.Decide(Of(0.80, 0.86, 0.85), 0);
  EXPECT_EQ(choice.chosen(), 0);
  choice.Decide(Of(0.80, 0.85, 0.86), 0);
  EXPECT_EQ(choice.chosen(), 2);  // the best by then
}

TEST(ModelChoice, StaysWithinTheMargin) {
  const double margin = ModelChoice::Margin(4096);
  EXPECT_NEAR(margin, 0.0047, 0.0001);
  ModelChoice choice;
  for (int i = 0; i < 5; ++i) choice.Decide(Of(0.80, 0.80 + 0.9 * margin, 0.1), 0);
  EXPECT_EQ(choice.chosen(), 0);
  for (int i = 0; i < 2; ++i) choice.Decide(Of(0.80, 0.80 + 1.1 * margin, 0.1), 0);
  EXPECT_EQ(choice.chosen(), 1);
  // Back the same way.
  for (int i = 0; i < 5; ++i) choice.Decide(Of(0.80 + 0.9 * margin, 0.80, 0.1), 0);
  EXPECT_EQ(choice.chosen(), 1);
  for (int i = 0; i < 2; ++i) choice.Decide(Of(0.80 + 1.1 * margin, 0.80, 0.1), 0);
  EXPECT_EQ(choice.chosen(), 0);
}

TEST(ModelChoice, FewerEventsNeedMore) {
  ModelChoice choice;
  const Standings few = {Standing{0.80, 64}, Standing{0.83, 64}};
  for (int i = 0; i < 5; ++i) choice.Decide(few, 0);
  EXPECT_EQ(choice.chosen(), 0);
  const Standings many = {Standing{0.80, 4096}, Standing{0.83, 4096}};
  for (int i = 0; i < 2; ++i) choice.Decide(many, 0);
  EXPECT_EQ(choice.chosen(), 1);
}

TEST(ModelChoice, LeavesOutWhoDoesNotTakePart) {
  ModelChoice choice;
  for (int i = 0; i < 5; ++i) choice.Decide(Standings{std::nullopt, Standing{0.5, 4096}}, 1);
  EXPECT_EQ(choice.chosen(), 1);
}

TEST(ModelChoice, GoesOnAfterSaveAndLoad) {
  ModelChoice choice;
  choice.Decide(Of(0.80, 0.86, 0.85), 0);
  MemoryCheckpoint saved;
  ASSERT_TRUE(choice.Save("choice", saved).ok());
  ModelChoice loaded;
  MemoryCheckpointReader reader(saved);
  ASSERT_TRUE(loaded.Load("choice", 3, reader).ok());
  loaded.Decide(Of(0.80, 0.86, 0.85), 0);
  EXPECT_EQ(loaded.chosen(), 1);
  MemoryCheckpoint taken;
  ASSERT_TRUE(loaded.Save("choice", taken).ok());
  MemoryCheckpointReader again(taken);
  EXPECT_EQ(choice.Load("choice", 1, again).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace weft::operators::link
