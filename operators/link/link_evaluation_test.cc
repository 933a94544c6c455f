#include "operators/link/link_evaluation.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/io/load_events.h"
#include "operators/link/grouped_link_model.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

graph::EventBatch RandomEvents(std::int64_t count, std::uint64_t nodes) {
  graph::EventBatch events;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    events.source.push_back(static_cast<graph::NodeId>(gpu::CounterHash(1, row, 0) % nodes));
    events.target.push_back(static_cast<graph::NodeId>(gpu::CounterHash(1, row, 1) % nodes));
    events.time_us.push_back(i / 3);
  }
  return events;
}

TEST(TimeSplit, QuantilesAsNumpyHasThem) {
  // numpy.quantile([0, 10, 20, ..., 90], [.7, .85]) = 63, 76.5
  std::vector<graph::TimeUs> times;
  for (int i = 0; i < 10; ++i) times.push_back(10 * i);
  const TimeSplit split = SplitByTime(times);
  EXPECT_EQ(split.validation, 7);
  EXPECT_EQ(split.test, 8);
  EXPECT_EQ(split.end, 10);
}

TEST(TimeSplit, TiesStayTogether) {
  const std::vector<graph::TimeUs> times = {0, 0, 0, 5, 5, 5, 5, 5, 5, 9};
  const TimeSplit split = SplitByTime(times);
  EXPECT_EQ(split.validation, 9);
  EXPECT_EQ(split.test, 9);
  EXPECT_EQ(SplitByTime({}).end, 0);
  const std::vector<graph::TimeUs> wide = {graph::kBeforeAllTime + 1, 0, graph::kAfterAllTime - 1};
  EXPECT_EQ(SplitByTime(wide).end, 3);
}

TEST(NegativeTargets, NeverATrueEventOfTheSameTime) {
  const graph::EventBatch events = RandomEvents(600, 5);
  NegativeTargets negatives(events);
  negatives.AddTargets(0, 600);
  std::set<graph::NodeId> drawn;
  for (std::int64_t i = 0; i < 600; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const graph::NodeId negative = negatives.Draw(3, i, negatives.pool_size());
    EXPECT_EQ(negative, negatives.Draw(3, i, negatives.pool_size()));
    drawn.insert(negative);
    for (std::size_t j = 0; j < events.source.size(); ++j) {
      if (events.time_us[j] == events.time_us[row] && events.source[j] == events.source[row]) {
        EXPECT_NE(events.target[j], negative);
      }
    }
  }
  EXPECT_EQ(drawn.size(), 5u);
}

TEST(NegativeTargets, NoneWhereEverythingHappened) {
  graph::EventBatch events;
  events.source = {0, 0, 1};
  events.target = {1, 2, 1};
  events.time_us = {7, 7, 7};
  NegativeTargets negatives(events);
  negatives.AddTargets(0, 3);
  EXPECT_EQ(negatives.Draw(1, 0, 2), graph::kNoNode);
  EXPECT_EQ(negatives.Draw(1, 0, 0), graph::kNoNode);
  EXPECT_EQ(negatives.Draw(1, 2, 2), 2u);
}

TEST(NegativeTargets, UniformOverThePool) {
  const graph::EventBatch events = RandomEvents(20'000, 1000);
  NegativeTargets negatives(events);
  for (graph::NodeId target = 0; target < 20; ++target) negatives.AddTarget(target);
  std::vector<int> count(10, 0);
  for (std::int64_t i = 0; i < 20'000; ++i) ++count[negatives.Draw(1, i, 10)];
  for (const int drawn : count) EXPECT_NEAR(drawn, 2000, 250);
}

// Knows the answer with a probability that rises and then falls from epoch to epoch: what the
// driver must notice.
class FakeModel final : public GroupedLinkModel {
 public:
  struct Counts {
    int resets = 0;
    std::int64_t learned = 0;
    std::int64_t scored_without_negatives = 0;
    std::vector<std::vector<graph::NodeId>> first_negatives;  // by epoch
  };
  FakeModel(std::vector<float> skill, Counts* counts)
      : GroupedLinkModel(LinkReads::kBeforeBatch, 32), skill_(std::move(skill)), counts_(counts) {}

  std::string name() const override { return "fake"; }
  bool scores_are_probabilities() const override { return true; }
  std::int64_t parameter_count() const override { return 1; }
  void ResetState() override {
    ++counts_->resets;
    events_ = 0;
  }
  void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
             std::span<float> positive_score, std::span<float> negative_score) override {
    if (negative.empty()) counts_->scored_without_negatives += events.size();
    for (std::size_t i = 0; i < events.source.size(); ++i) {
      positive_score[i] =
          Noise(events.time_us[i] * 7 + static_cast<std::int64_t>(i), events.target[i]) +
          skill_[static_cast<std::size_t>(epoch_)];
    }
    for (std::size_t i = 0; i < negative.size(); ++i) {
      negative_score[i] = Noise(events.time_us[i] * 7 + static_cast<std::int64_t>(i), negative[i]);
    }
  }
  double Learn(graph::EventSpan events, std::span<const graph::NodeId> negative) override {
    if (events_ == 0) {
      counts_->first_negatives.emplace_back(negative.begin(), negative.end());
      epoch_ = static_cast<std::int32_t>(counts_->first_negatives.size()) - 1;
    }
    counts_->learned += events.size();
    return 0.0;
  }
  void Observe(graph::EventSpan events) override { events_ += events.size(); }
  void ScorePairs(std::span<const graph::NodeId>, std::span<const graph::NodeId>, graph::TimeUs,
                  std::span<PairScore>) const override {}
  absl::Status SaveWeights(graph::CheckpointSink& sink) const override {
    return WriteValue("weights", epoch_, sink);
  }
  absl::Status LoadWeights(graph::CheckpointSource& source) override {
    return ReadValue("weights", epoch_, source);
  }
  absl::Status SaveState(graph::CheckpointSink& sink) const override {
    return WriteValue("state", events_, sink);
  }
  absl::Status LoadState(graph::CheckpointSource& source) override {
    return ReadValue("state", events_, source);
  }

 private:
  static float Noise(std::int64_t position, graph::NodeId node) {
    return gpu::UnitFloat(gpu::CounterHash(9, static_cast<std::uint64_t>(position), node));
  }
  std::vector<float> skill_;
  Counts* counts_;
  std::int32_t epoch_ = 0;
  std::int64_t events_ = 0;
};

LinkEvaluationOptions FakeOptions(std::vector<float> skill, FakeModel::Counts* counts) {
  LinkEvaluationOptions options;
  options.epochs = static_cast<std::int32_t>(skill.size());
  options.inductive = false;
  options.model = [skill,
                   counts](const LinkModelRequest&) -> absl::StatusOr<std::unique_ptr<LinkModel>> {
    return std::make_unique<FakeModel>(skill, counts);
  };
  return options;
}

TEST(LinkEvaluation, RestoresTheBestEpochAndStopsEarly) {
  const graph::EventBatch events = RandomEvents(3000, 200);
  FakeModel::Counts counts;
  LinkEvaluationOptions options = FakeOptions({0.2f, 0.9f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f}, &counts);
  const auto result = EvaluateLinks(events, 200, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->epochs_run, std::vector<std::int32_t>{5});  // patience 3 after the second
  EXPECT_EQ(counts.learned, 5 * result->split.validation);
  EXPECT_EQ(result->cost.train_events, counts.learned);
  EXPECT_NEAR(result->test.ap, result->validation_ap[0][1], 0.01);
  EXPECT_GT(result->test.ap, result->validation_ap[0][0] + 0.1);
  ASSERT_EQ(counts.first_negatives.size(), 5u);
  EXPECT_NE(counts.first_negatives[0], counts.first_negatives[1]);
  // The second pass over the test part.
  EXPECT_EQ(counts.scored_without_negatives, result->split.end - result->split.test);
}

TEST(LinkEvaluation, ReplayStreamsThePastWithTheFinalWeights) {
  const graph::EventBatch events = RandomEvents(3000, 200);
  FakeModel::Counts counts;
  LinkEvaluationOptions options = FakeOptions({0.2f}, &counts);
  options.replay = true;
  const auto result = EvaluateLinks(events, 200, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(counts.scored_without_negatives, result->split.end);
  EXPECT_EQ(counts.resets, 2);
}

TEST(LinkEvaluation, SeedsGiveMeanAndDeviation) {
  const graph::EventBatch events = RandomEvents(3000, 200);
  FakeModel::Counts counts;
  LinkEvaluationOptions options = FakeOptions({0.3f}, &counts);
  options.model = *FindLinkModel("recency");
  options.seeds = {1, 2, 3};
  options.inductive = true;
  const auto result = EvaluateLinks(events, 200, options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->test.ap_by_seed.size(), 3u);
  double mean = 0;
  double squares = 0;
  for (const double ap : result->test.ap_by_seed) mean += ap / 3;
  for (const double ap : result->test.ap_by_seed) squares += (ap - mean) * (ap - mean);
  EXPECT_NEAR(result->test.ap, mean, 1e-12);
  EXPECT_NEAR(result->test.ap_stddev, std::sqrt(squares / 2), 1e-12);
  EXPECT_GT(result->test.ap_stddev, 0.0);
  EXPECT_TRUE(result->inductive.valid);
  // The model under test is also one of the baselines: the same negatives, the same figures.
  EXPECT_EQ(result->baselines[2].first, "recency");
  EXPECT_EQ(result->baselines[2].second.ap_by_seed, result->test.ap_by_seed);
  const auto again = EvaluateLinks(events, 200, options);
  EXPECT_EQ(again->test.ap_by_seed, result->test.ap_by_seed);
  EXPECT_EQ(again->inductive.ap_by_seed, result->inductive.ap_by_seed);
}

TEST(LinkEvaluation, HarderQuestionsForTheModelAndTheBaselines) {
  const graph::EventBatch events = RandomEvents(3000, 40);
  LinkEvaluationOptions options;
  options.model = *FindLinkModel("recency");
  options.seeds = {1, 2};
  options.inductive = false;
  options.ranked_events = 100;
  for (const LinkReads reads :
       {LinkReads::kBeforeTime, LinkReads::kBeforeEvent, LinkReads::kBeforeBatch}) {
    options.reads = reads;
    const auto result = EvaluateLinks(events, 200, options);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->reads, reads);
    const LinkFigures& model = result->test;
    const LinkFigures& twin = result->baselines[2].second;
    ASSERT_TRUE(model.seen && model.historical && model.mean_reciprocal_rank);
    EXPECT_EQ(model.seen->ap, twin.seen->ap);
    EXPECT_EQ(model.historical->auc, twin.historical->auc);
    EXPECT_EQ(*model.mean_reciprocal_rank, *twin.mean_reciprocal_rank);
    // Nothing to learn here: chance, and a rank anywhere among 40 targets.
    EXPECT_NEAR(model.seen->auc, 0.5, 0.1);
    EXPECT_NEAR(*model.mean_reciprocal_rank, 0.11, 0.05);
    EXPECT_FALSE(model.calibration_error.has_value());
    EXPECT_TRUE(result->baselines[0].second.calibration_error.has_value());
    EXPECT_EQ(result->cost.test_events, 2 * (result->split.end - result->split.test));
  }
  options.ranked_events = -1;
  EXPECT_EQ(EvaluateLinks(events, 200, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LinkEvaluation, EmptyPartsAreErrors) {
  LinkEvaluationOptions options;
  options.model = *FindLinkModel("edgebank");
  graph::EventBatch events;
  EXPECT_EQ(EvaluateLinks(events, 0, options).status().code(), absl::StatusCode::kInvalidArgument);
  events.source = {1, 2, 3};
  events.target = {2, 3, 1};
  events.time_us = {5, 5, 5};
  EXPECT_EQ(EvaluateLinks(events, 4, options).status().code(), absl::StatusCode::kInvalidArgument);
  options.batch = 0;
  EXPECT_EQ(EvaluateLinks(RandomEvents(300, 10), 10, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LinkEvaluation, BaselinesOnRealEvents) {
  const char* folder = std::getenv("WEFT_DATA");
  const std::string path =
      std::string(folder != nullptr ? folder : "../shared/data") + "/graphs/uci_collegemsg.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set WEFT_DATA)";
  const auto file = io::LoadEvents(path, {});
  ASSERT_TRUE(file.ok()) << file.status();
  LinkEvaluationOptions options;
  options.model = *FindLinkModel("edgebank");
  const auto result = EvaluateLinks(file->events, file->nodes.size(), options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->split.validation, 41'884);
  EXPECT_NEAR(result->test.ap, 0.8445, 0.005);  // specs: EdgeBank, state 32 events old
  EXPECT_GT(result->baselines[2].second.ap, 0.92);
}

}  // namespace
}  // namespace weft::operators::link
