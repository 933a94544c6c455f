// Why weft scores a pair as it does.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/link/memory_checkpoint.h"
#include "operators/link/model_file.h"
#include "operators/link/warm_start.h"
#include "operators/link/weft_groups.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {
namespace {

using graph::NodeId;

constexpr NodeId kSources = 20, kTargets = 30;
constexpr std::int64_t kEvents = 2000;

// Sources prefer three targets each; node 0 also sends to itself.
graph::EventBatch MakeEvents() {
  graph::EventBatch events;
  for (std::int64_t i = 0; i < kEvents; ++i) {
    const std::uint64_t draw = gpu::Mix64(static_cast<std::uint64_t>(i));
    const auto source = static_cast<NodeId>(draw % kSources);
    const auto place = static_cast<NodeId>(draw >> 32);
    events.source.push_back(source);
    events.target.push_back(place % 7 == 0 ? kSources + place % kTargets
                                           : kSources + (source * 3 + place % 3) % kTargets);
    events.time_us.push_back(i * 1'000'000);
  }
  return events;
}

class WeftExplanation : public testing::Test {
 protected:
  WeftExplanation() : events_(MakeEvents()), model_(WeftOptions{}, gpu::HostExec{}) {
    EXPECT_TRUE(ReadModelBytes("warm start", WarmStartModel(), model_).ok());
    std::vector<PairScore> scores(kEvents);
    model_.Advance({.events = graph::EventSpan::Of(events_, 0, kEvents),
                    .negative = {},
                    .extra_begin = {},
                    .extra = {},
                    .learn = false},
                   {.positive = scores, .negative = {}, .extra = {}});
    now_us_ = events_.time_us.back() + 1'000'000;
  }

  PairScore Score(NodeId source, NodeId target) const {
    PairScore score;
    model_.ScorePairs(std::span(&source, 1), std::span(&target, 1), now_us_, std::span(&score, 1));
    return score;
  }
  PairExplanation Explain(NodeId source, NodeId target, PairQuestion question) const {
    const auto explanation = model_.Explain(source, target, now_us_, question);
    EXPECT_TRUE(explanation.has_value());
    return *explanation;
  }
  std::map<std::string, std::string, std::less<>> State() const {
    MemoryCheckpoint checkpoint;
    EXPECT_TRUE(model_.SaveState(checkpoint).ok());
    return checkpoint.sections();
  }

  graph::EventBatch events_;
  WeftModel model_;
  graph::TimeUs now_us_ = 0;
};

TEST_F(WeftExplanation, GroupsComeToTheScore) {
  for (const NodeId target : {kSources, kSources + 17, NodeId{9999}, graph::kNoNode}) {
    const PairScore score = Score(3, target);
    const PairExplanation joint = Explain(3, target, PairQuestion::kJoint);
    EXPECT_EQ(joint.log_odds, score.joint);
    EXPECT_EQ(Explain(3, target, PairQuestion::kHistorical).log_odds, score.historical);
    const PairExplanation random = Explain(3, target, PairQuestion::kRandom);
    EXPECT_NEAR(1.0 / (1.0 + std::exp(-random.log_odds)), score.random, 1e-5);
    for (const PairExplanation* explanation : {&joint, &random}) {
      ASSERT_EQ(explanation->groups.size(), WeftGroupList().size());
      float sum = explanation->mean_log_odds;
      for (const GroupContribution& group : explanation->groups) sum += group.log_odds;
      EXPECT_NEAR(sum, explanation->log_odds, 1e-3);
    }
  }
}

TEST_F(WeftExplanation, AGroupThatIsNotReadAddsNothing) {
  WeftOptions options;
  for (const WeftGroup& group : WeftGroupList())
    if (group.name == "sequence") options.without.push_back(&group);
  const WeftModel without(options, gpu::HostExec{});
  const auto explanation = without.Explain(3, kSources + 9, now_us_, PairQuestion::kJoint);
  ASSERT_TRUE(explanation.has_value());
  for (const GroupContribution& group : explanation->groups) {
    if (group.group == "sequence") {
      EXPECT_EQ(group.log_odds, 0.0f);
    }
    if (group.group == "node") {
      EXPECT_NE(group.log_odds, 0.0f);
    }
  }
}

TEST_F(WeftExplanation, PartnersComeWithTheirTimes) {
  const NodeId target = kSources + 9;  // one of the favourites of 3
  const PairExplanation explanation = Explain(3, target, PairQuestion::kJoint);
  ASSERT_FALSE(explanation.partners.empty());
  const auto found = std::ranges::find(explanation.partners, target, &PartnerContribution::partner);
  ASSERT_NE(found, explanation.partners.end());
  std::int64_t sent = 0;
  graph::TimeUs last_us = 0;
  for (std::size_t i = 0; i < events_.source.size(); ++i) {
    if (events_.source[i] != 3 || events_.target[i] != target) continue;
    ++sent;
    last_us = events_.time_us[i];
  }
  EXPECT_EQ(found->sent_count, sent);
  EXPECT_EQ(found->received_count, 0);
  EXPECT_EQ(found->last_sent_us, last_us);
  EXPECT_EQ(found->last_received_us, graph::kBeforeAllTime);
  for (std::size_t i = 1; i < explanation.partners.size(); ++i)
    EXPECT_GE(std::abs(explanation.partners[i - 1].log_odds),
              std::abs(explanation.partners[i].log_odds));
}

TEST_F(WeftExplanation, LeavesNoTrace) {
  const auto before = State();
  const PairScore score = Score(3, kSources + 9);
  Explain(3, kSources + 9, PairQuestion::kRandom);
  Explain(3, 3, PairQuestion::kJoint);
  Explain(graph::kNoNode, kSources, PairQuestion::kJoint);
  EXPECT_EQ(State(), before);
  EXPECT_EQ(Score(3, kSources + 9), score);
}

}  // namespace
}  // namespace weft::operators::link
