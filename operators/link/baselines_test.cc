// EdgeBank and Recency against plain loops, with evictions, save and load.
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "operators/link/edgebank.h"
#include "operators/link/memory_checkpoint.h"
#include "operators/link/recency.h"

namespace weft::operators::link {
namespace {

graph::EventBatch RandomEvents(int count, unsigned nodes, unsigned seed) {
  std::mt19937 random(seed);
  graph::EventBatch events;
  graph::TimeUs time_us = -50;
  for (int i = 0; i < count; ++i) {
    events.source.push_back(static_cast<graph::NodeId>(random() % nodes));
    events.target.push_back(static_cast<graph::NodeId>(random() % nodes));
    time_us += random() % 4;
    events.time_us.push_back(time_us);
  }
  return events;
}

float ScoreOne(const LinkModel& model, graph::NodeId source, graph::NodeId target,
               graph::TimeUs time_us) {
  PairScore score = PairScore::Of(-1.0f);
  model.ScorePairs(std::span(&source, 1), std::span(&target, 1), time_us, std::span(&score, 1));
  return score.random;
}

// Feeds `events` in pieces of `batch` and returns every score, and the same of a twin that was
// saved and loaded half-way.
template <class Make>
void ExpectSurvivesSaveAndLoad(const Make& make, const graph::EventBatch& events) {
  auto model = make();
  auto twin = make();
  std::vector<float> positive(8), negative(8), twin_positive(8), twin_negative(8);
  for (std::int64_t begin = 0; begin + 8 <= events.size(); begin += 8) {
    if (begin == events.size() / 2 / 8 * 8) {
      MemoryCheckpoint checkpoint;
      ASSERT_TRUE(twin->SaveState(checkpoint).ok());
      twin = make();
      MemoryCheckpointReader reader(checkpoint);
      ASSERT_TRUE(twin->LoadState(reader).ok());
    }
    const auto span = graph::EventSpan::Of(events, begin, begin + 8);
    const std::vector<graph::NodeId> targets(span.source.rbegin(), span.source.rend());
    model->Score(span, targets, positive, negative);
    twin->Score(span, targets, twin_positive, twin_negative);
    ASSERT_EQ(positive, twin_positive);
    ASSERT_EQ(negative, twin_negative);
    model->Observe(span);
    twin->Observe(span);
  }
}

TEST(EdgeBank, RemembersPairsInBothDirections) {
  const graph::EventBatch events = RandomEvents(300, 12, 1);
  for (const bool directed : {false, true}) {
    for (const graph::TimeUs window_us : {0, 40}) {
      EdgeBankOptions options;
      options.directed = directed;
      options.window_us = window_us;
      EdgeBank model(options);
      std::map<std::pair<graph::NodeId, graph::NodeId>, graph::TimeUs> seen;
      for (std::int64_t i = 0; i < events.size(); ++i) {
        const auto row = static_cast<std::size_t>(i);
        const graph::NodeId source = events.source[row];
        const graph::NodeId target = events.target[row];
        const graph::TimeUs now = events.time_us[row];
        const auto found = seen.find({source, target});
        const bool likely =
            found != seen.end() && (window_us == 0 || now - found->second <= window_us);
        ASSERT_EQ(ScoreOne(model, source, target, now), likely ? 1.0f : 0.0f);
        model.Observe(graph::EventSpan::Of(events, i, i + 1));
        seen[{source, target}] = now;
        if (!directed) seen[{target, source}] = now;
      }
    }
  }
}

TEST(EdgeBank, WindowAtTheEndsOfTime) {
  EdgeBankOptions options;
  options.window_us = 10;
  EdgeBank model(options);
  graph::EventBatch events;
  events.source = {1};
  events.target = {2};
  events.time_us = {graph::kBeforeAllTime + 1};
  model.Observe(graph::EventSpan::Of(events));
  EXPECT_EQ(ScoreOne(model, 1, 2, graph::kAfterAllTime - 1), 0.0f);
  EXPECT_EQ(ScoreOne(model, 1, 2, graph::kBeforeAllTime + 2), 1.0f);
}

TEST(EdgeBank, ForgetsThePairSeenLongestAgo) {
  EdgeBankOptions options;
  options.max_pairs = 2;
  EdgeBank model(options);
  graph::EventBatch events;
  events.source = {1, 2, 1, 3};
  events.target = {9, 9, 9, 9};
  events.time_us = {1, 2, 3, 4};
  model.Observe(graph::EventSpan::Of(events));
  EXPECT_EQ(model.pair_count(), 2);
  EXPECT_EQ(model.forgotten_pair_count(), 1);
  EXPECT_EQ(ScoreOne(model, 1, 9, 5), 1.0f);
  EXPECT_EQ(ScoreOne(model, 2, 9, 5), 0.0f);
  EXPECT_EQ(ScoreOne(model, 3, 9, 5), 1.0f);
  EXPECT_EQ(ScoreOne(model, graph::kNoNode, 9, 5), 0.0f);
}

TEST(EdgeBank, SurvivesSaveAndLoad) {
  EdgeBankOptions options;
  options.max_pairs = 30;
  options.window_us = 100;
  ExpectSurvivesSaveAndLoad([&options] { return std::make_unique<EdgeBank>(options); },
                            RandomEvents(800, 12, 2));
}

// The mix by its definition (recency.md), without limits.
class NaiveRecency {
 public:
  double Score(graph::NodeId source, graph::NodeId target) const {
    if (nodes_.count(target) == 0) return 0.0;
    const auto last = last_.find(target);
    const auto count = count_.find(target);
    double score = Freshness(last == last_.end() ? 0 : last->second);
    score += 0.1 * std::log1p(count == count_.end() ? 0 : count->second) / std::log1p(clock_);
    if (nodes_.count(source) == 0) return score;
    double common = 0;
    for (const auto& [partner, clock] : partners_.at(source))
      common += partners_.at(target).count(partner) > 0 ? 1 : 0;
    score += 0.1 * common / (1 + common);
    const auto pair = partners_.at(source).find(target);
    return score + Freshness(pair == partners_.at(source).end() ? 0 : pair->second);
  }
  void Observe(graph::NodeId source, graph::NodeId target) {
    ++clock_;
    nodes_.insert({source, target});
    partners_[source][target] = clock_;
    partners_[target][source] = clock_;
    last_[target] = clock_;
    ++count_[target];
  }

 private:
  double Freshness(int last) const {
    return last == 0 ? 0.0 : 1.0 / (1.0 + std::log1p(clock_ - last));
  }

  int clock_ = 0;
  std::set<graph::NodeId> nodes_;
  std::map<graph::NodeId, int> last_;
  std::map<graph::NodeId, int> count_;
  std::map<graph::NodeId, std::map<graph::NodeId, int>> partners_;
};

TEST(Recency, AgreesWithItsDefinition) {
  const graph::EventBatch events = RandomEvents(500, 25, 3);
  Recency model(RecencyOptions{});
  NaiveRecency naive;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    for (const graph::NodeId target : {events.target[row], static_cast<graph::NodeId>(i % 27)}) {
      ASSERT_NEAR(ScoreOne(model, events.source[row], target, 0),
                  naive.Score(events.source[row], target), 1e-5);
    }
    model.Observe(graph::EventSpan::Of(events, i, i + 1));
    naive.Observe(events.source[row], events.target[row]);
  }
}

TEST(Recency, ForgetsNodesAndPartnersWithinItsLimits) {
  RecencyOptions options;
  options.max_nodes = 4;
  options.partners_per_node = 2;
  Recency model(options);
  const graph::EventBatch events = RandomEvents(400, 30, 4);
  model.Observe(graph::EventSpan::Of(events));
  EXPECT_EQ(model.node_count(), 4);
  EXPECT_GT(model.forgotten_node_count(), 100);
  EXPECT_GT(ScoreOne(model, events.source.back(), events.target.back(), 0), 1.9f);
}

TEST(Recency, SurvivesSaveAndLoad) {
  RecencyOptions options;
  options.max_nodes = 9;
  options.partners_per_node = 3;
  ExpectSurvivesSaveAndLoad([&options] { return std::make_unique<Recency>(options); },
                            RandomEvents(800, 20, 5));
}

TEST(Recency, ResetForgetsEverything) {
  Recency model(RecencyOptions{});
  const graph::EventBatch events = RandomEvents(50, 10, 6);
  model.Observe(graph::EventSpan::Of(events));
  model.ResetState();
  EXPECT_EQ(ScoreOne(model, events.source[0], events.target[0], 0), 0.0f);
  EXPECT_EQ(model.node_count(), 0);
}

}  // namespace
}  // namespace weft::operators::link
