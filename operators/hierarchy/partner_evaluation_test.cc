#include "operators/hierarchy/partner_evaluation.h"

#include <gtest/gtest.h>

namespace weft::operators::hierarchy {
namespace {

constexpr graph::TimeUs kSecond = 1'000'000;

// Each of four nodes turns to another target every 90 seconds, and to none else.
graph::EventBatch Turns(std::int64_t seconds) {
  graph::EventBatch events;
  for (std::int64_t second = 0; second < seconds; ++second)
    for (graph::NodeId node = 0; node < 4; ++node) {
      events.source.push_back(node);
      events.target.push_back(10 + static_cast<graph::NodeId>((second / 90 * 3 + node) % 7));
      events.time_us.push_back(second * kSecond);
    }
  return events;
}

TEST(PartnerEvaluation, CountsWhatEachStretchKnows) {
  const PartnerResult result = EvaluatePartners(Turns(9000), {});
  std::int64_t nodes = 0, last = 0, all = 0, windows = 0;
  for (const PartnerMoment& moment : result.moments) {
    nodes += moment.nodes;
    last += moment.by_stretch[kLast5Seconds];
    all += moment.by_stretch[kAllPast];
    windows += moment.by_mix[kWindowMix];
  }
  EXPECT_EQ(nodes, 4 * (9000 / 10 - 1));
  // Of nine moments between two turns one lies before the turn: the last seconds know the others.
  const auto share = [nodes](std::int64_t hits) {
    return static_cast<double>(hits) / static_cast<double>(nodes);
  };
  EXPECT_NEAR(share(last), 8.0 / 9.0, 0.01);
  EXPECT_LT(share(all), 0.3);
  EXPECT_NEAR(share(windows), 8.0 / 9.0, 0.02);
  EXPECT_GT(result.weight[kWindowMix][kLast5Seconds], result.weight[kWindowMix][kAllPast]);
  EXPECT_EQ(result.weight[kWindowMix][kOpenLeaf], 0.0);
}

// What comes after a moment changes nothing that was said of it.
TEST(PartnerEvaluation, DoesNotKnowTheFuture) {
  const graph::EventBatch events = Turns(2000), half = Turns(1000);
  const PartnerResult whole = EvaluatePartners(events, {}), first = EvaluatePartners(half, {});
  ASSERT_GT(whole.moments.size(), first.moments.size());
  for (std::size_t i = 0; i < first.moments.size(); ++i) {
    EXPECT_EQ(whole.moments[i].by_stretch, first.moments[i].by_stretch) << i;
    EXPECT_EQ(whole.moments[i].by_mix, first.moments[i].by_mix) << i;
  }
}

}  // namespace
}  // namespace weft::operators::hierarchy
