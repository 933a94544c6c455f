// Every draw against the set that it may come from, made by plain loops.
#include "operators/link/question_draws.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "gpu/host_device.h"

namespace weft::operators::link {
namespace {

using Nodes = std::set<graph::NodeId>;

// Three events a time; a third of the events are of source 0, so that some sources have a long past
// and some a short one. Half of the targets come only late.
graph::EventBatch MakeEvents(std::int64_t count, std::uint64_t targets) {
  graph::EventBatch events;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    const std::uint64_t range = i < count / 2 ? targets / 2 : targets;
    const std::uint64_t source = gpu::CounterHash(1, row, 0) % 12;
    events.source.push_back(static_cast<graph::NodeId>(source < 4 ? 0 : source));
    events.target.push_back(static_cast<graph::NodeId>(gpu::CounterHash(1, row, 1) % range));
    events.time_us.push_back(i / 3);
  }
  return events;
}

struct File {
  explicit File(graph::EventBatch batch)
      : events(std::move(batch)), negatives(events), draws(Fill(), negatives) {}

  const graph::EventBatch& Fill() {
    negatives.AddTargets(0, events.size());
    return events;
  }
  Nodes Happened(std::int64_t index) const {
    const auto row = static_cast<std::size_t>(index);
    Nodes targets;
    for (std::size_t i = 0; i < events.source.size(); ++i) {
      if (events.source[i] == events.source[row] && events.time_us[i] == events.time_us[row])
        targets.insert(events.target[i]);
    }
    return targets;
  }
  // Targets of events before `index`, of its source or of all, without what happened.
  Nodes Before(std::int64_t index, bool of_source) const {
    const auto row = static_cast<std::size_t>(index);
    Nodes targets;
    for (std::size_t i = 0; i < row; ++i) {
      if (!of_source || events.source[i] == events.source[row]) targets.insert(events.target[i]);
    }
    for (const graph::NodeId target : Happened(index)) targets.erase(target);
    return targets;
  }
  bool TargetIsNew(std::int64_t index) const {
    const auto end = events.target.begin() + index;
    return std::find(events.target.begin(), end, *end) == end;
  }

  graph::EventBatch events;
  NegativeTargets negatives;
  QuestionDraws draws;
};

TEST(QuestionDraws, SeenAndHistoricalComeFromTheirSets) {
  const File file(MakeEvents(500, 60));
  int without_seen = 0, without_historical = 0;
  for (std::int64_t i = 0; i < file.events.size(); ++i) {
    const Nodes seen = file.TargetIsNew(i) ? Nodes{} : file.Before(i, false);
    const graph::NodeId seen_draw = file.draws.Seen(5, i);
    EXPECT_EQ(seen.count(seen_draw), seen.empty() ? 0u : 1u) << i;
    EXPECT_EQ(seen.empty(), seen_draw == graph::kNoNode) << i;
    without_seen += seen.empty() ? 1 : 0;

    const Nodes historical = file.Before(i, true);
    const graph::NodeId historical_draw = file.draws.Historical(5, i);
    EXPECT_EQ(historical.empty(), historical_draw == graph::kNoNode) << i;
    EXPECT_EQ(historical.count(historical_draw), historical.empty() ? 0u : 1u) << i;
    without_historical += historical.empty() ? 1 : 0;
    EXPECT_EQ(file.draws.Historical(5, i), historical_draw);
  }
  EXPECT_GE(without_seen, 50);
  EXPECT_GE(without_historical, 9);
}

// How often each target was drawn lies near its share.
void ExpectUniform(const std::map<graph::NodeId, int>& count, const Nodes& from, double each) {
  EXPECT_EQ(count.size(), from.size());
  for (const auto& [target, drawn] : count) {
    EXPECT_EQ(from.count(target), 1u);
    EXPECT_NEAR(drawn, each, 5 * std::sqrt(each)) << target;
  }
}

TEST(QuestionDraws, AreUniform) {
  const File file(MakeEvents(500, 60));
  constexpr std::int64_t kIndex = 497;
  constexpr int kSeeds = 5000;
  constexpr std::size_t kKept = 10;
  std::map<graph::NodeId, int> seen, historical, kept;
  const Nodes all = file.Before(kIndex, false), past = file.Before(kIndex, true);
  ASSERT_GT(past.size(), 15u);
  for (int seed = 0; seed < kSeeds; ++seed) {
    ++seen[file.draws.Seen(static_cast<std::uint64_t>(seed), kIndex)];
    ++historical[file.draws.Historical(static_cast<std::uint64_t>(seed), kIndex)];
    for (const graph::NodeId target :
         file.draws.Candidates(static_cast<std::uint64_t>(seed), kIndex, kKept, kKept))
      ++kept[target];
  }
  ExpectUniform(seen, all, 1.0 * kSeeds / static_cast<double>(all.size()));
  ExpectUniform(historical, past, 1.0 * kSeeds / static_cast<double>(past.size()));
  ExpectUniform(kept, past, 1.0 * kSeeds * kKept / static_cast<double>(past.size()));
}

TEST(QuestionDraws, CandidatesAreDistinctAndHistoricalFirst) {
  for (const std::uint64_t targets : {40u, 400u}) {
    const File file(MakeEvents(900, targets));
    const Nodes all(file.events.target.begin(), file.events.target.end());
    for (std::int64_t i = 0; i < file.events.size(); i += 7) {
      const std::vector<graph::NodeId> candidates = file.draws.Candidates(3, i, 20, 50);
      const Nodes distinct(candidates.begin(), candidates.end());
      const Nodes happened = file.Happened(i), past = file.Before(i, true);
      EXPECT_EQ(distinct.size(), candidates.size());
      EXPECT_EQ(candidates.size(), std::min<std::size_t>(50, all.size() - happened.size()));
      for (const graph::NodeId target : happened) EXPECT_EQ(distinct.count(target), 0u);
      for (std::size_t k = 0; k < std::min<std::size_t>(20, past.size()); ++k)
        EXPECT_EQ(past.count(candidates[k]), 1u) << i << " " << k;
    }
  }
}

TEST(QuestionDraws, NoneWhereTheWholePastHappens) {
  graph::EventBatch events;
  events.source = {0, 0, 0, 1};
  events.target = {1, 2, 1, 2};
  events.time_us = {1, 7, 7, 7};
  const File file(events);
  EXPECT_EQ(file.draws.Historical(1, 1), graph::kNoNode);  // 1, which comes at the same time
  EXPECT_EQ(file.draws.Historical(1, 2), graph::kNoNode);
  EXPECT_EQ(file.draws.Historical(1, 0), graph::kNoNode);
  EXPECT_EQ(file.draws.Seen(1, 2), graph::kNoNode);
  EXPECT_EQ(file.draws.Seen(1, 3), 1u);
  EXPECT_TRUE(file.draws.Candidates(1, 1, 50, 100).empty());
  EXPECT_EQ(file.draws.Candidates(1, 0, 50, 100), std::vector<graph::NodeId>{2});
}

TEST(DrawEvents, AnyEventOnceInOrder) {
  std::map<std::int64_t, int> count;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const std::vector<std::int64_t> events = DrawEvents(seed, 100, 120, 5);
    ASSERT_EQ(events.size(), 5u);
    EXPECT_TRUE(std::ranges::is_sorted(events));
    for (const std::int64_t index : events) ++count[index];
  }
  EXPECT_EQ(count.size(), 20u);
  for (const auto& [index, drawn] : count) EXPECT_NEAR(drawn, 500, 100) << index;
  EXPECT_EQ(DrawEvents(1, 100, 103, 5), (std::vector<std::int64_t>{100, 101, 102}));
  EXPECT_TRUE(DrawEvents(1, 100, 103, 0).empty());
}

}  // namespace
}  // namespace weft::operators::link
