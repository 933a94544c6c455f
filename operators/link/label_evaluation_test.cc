#include "operators/link/label_evaluation.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::link {
namespace {

constexpr std::size_t kEvents = 3000;

// Sources with an odd number have mostly positive events, as long as a run of 300 events lasts;
// then it is the even ones'. The feature says nothing. Often several events of one time.
graph::EventBatch MakeEvents() {
  std::mt19937_64 random(9);
  graph::EventBatch events;
  events.feature_count = 1;
  std::int64_t time_us = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    if (random() % 4 != 0) time_us += 1'000'000;
    const auto source = static_cast<graph::NodeId>(random() % 20);
    events.source.push_back(source);
    events.target.push_back(static_cast<graph::NodeId>(20 + random() % 30));
    events.time_us.push_back(time_us);
    const bool usual = source % 2 == i / 300 % 2;
    events.label.push_back(random() % 10 == 0 ? (usual ? 0.0f : 1.0f) : usual ? 1.0f : 0.0f);
    events.feature.push_back(static_cast<float>(random() % 100));
  }
  return events;
}

LabelEvaluationResult Evaluate(const graph::EventBatch& events,
                               const LabelEvaluationOptions& options) {
  const auto result = EvaluateLabels(events, 50, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : LabelEvaluationResult{};
}

TEST(LabelEvaluation, TellsWhatRatesTellAndMore) {
  LabelEvaluationOptions options;
  options.epochs = 10;
  options.seeds = {1, 2};
  const LabelEvaluationResult result = Evaluate(MakeEvents(), options);
  ASSERT_EQ(result.baselines.size(), 4u);
  const LabelBaseline& base = result.baselines[0];
  EXPECT_EQ(base.name, "base_rate");
  EXPECT_NEAR(base.figures.ap,
              static_cast<double>(result.test.positives) / static_cast<double>(result.test.events),
              1e-9);
  EXPECT_EQ(base.figures.auc, 0.5);
  EXPECT_GT(result.figures.auc, 0.8);
  for (const LabelBaseline& baseline : result.baselines) {
    EXPECT_GT(result.figures.ap, baseline.figures.ap + 0.1) << baseline.name;
    EXPECT_LT(result.figures.log_loss, baseline.figures.log_loss) << baseline.name;
  }
  EXPECT_EQ(result.ap_by_seed.size(), 2u);
  EXPECT_NEAR((result.ap_by_seed[0] + result.ap_by_seed[1]) / 2, result.figures.ap, 1e-12);
}

// The first event whose score may know of the label of `index`.
std::size_t FirstThatKnows(const graph::EventBatch& events, std::size_t index, LinkReads reads) {
  if (reads == LinkReads::kBeforeEvent) return index + 1;
  if (reads == LinkReads::kBeforeBatch) return (index / 16 + 1) * 16;
  std::size_t first = index + 1;
  while (events.time_us[first] == events.time_us[index]) ++first;
  return first;
}

TEST(LabelEvaluation, NoScoreKnowsALabelTooEarly) {
  const graph::EventBatch events = MakeEvents();
  for (const LinkReads reads :
       {LinkReads::kBeforeTime, LinkReads::kBeforeEvent, LinkReads::kBeforeBatch}) {
    LabelEvaluationOptions options;
    options.reads = reads;
    options.batch = 16;
    options.epochs = 1;
    const LabelEvaluationResult before = Evaluate(events, options);
    const auto test = static_cast<std::size_t>(before.split.test);
    for (std::size_t index = test + 50; index < test + 90; ++index) {
      graph::EventBatch flipped = events;
      flipped.label[index] = 1.0f - flipped.label[index];
      const LabelEvaluationResult after = Evaluate(flipped, options);
      const std::size_t first = FirstThatKnows(events, index, reads);
      for (std::size_t i = test; i < kEvents; ++i) {
        if (i > first) break;
        const bool same = before.score[i - test] == after.score[i - test];
        ASSERT_EQ(same, i < first) << LinkReadsName(reads) << ", " << index << ", " << i;
      }
    }
  }
}

TEST(LabelEvaluation, FeaturesAreReadOnlyIfAsked) {
  graph::EventBatch events = MakeEvents();
  graph::EventBatch other = events;
  for (float& feature : other.feature) feature = 100.0f - feature;
  LabelEvaluationOptions options;
  options.epochs = 1;
  EXPECT_NE(Evaluate(events, options).score, Evaluate(other, options).score);
  options.features = false;
  EXPECT_EQ(Evaluate(events, options).score, Evaluate(other, options).score);
  // That of the rule never is.
  options.features = true;
  options.rule = {.feature = 0, .side = LabelRule::Side::kBelow, .value = 30.0f};
  EXPECT_TRUE(Evaluate(events, options).features.empty());
}

TEST(LabelEvaluation, SaysWhatIsMissing) {
  graph::EventBatch events = MakeEvents();
  const auto error = [&](const LabelRule& rule) {
    LabelEvaluationOptions options;
    options.rule = rule;
    return EvaluateLabels(events, 50, options).status().ToString();
  };
  EXPECT_NE(error({.feature = 1}).find("expected a feature f1, got 1 features"), std::string::npos);
  EXPECT_NE(error({.value = 1.0f}).find("with and without label > 1 in the train part"),
            std::string::npos);
  events.label.clear();
  EXPECT_NE(error({}).find("expected a column of labels"), std::string::npos);
  events = {};
  EXPECT_NE(error({}).find("INVALID_ARGUMENT"), std::string::npos);
}

}  // namespace
}  // namespace weft::operators::link
