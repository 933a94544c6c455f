// A fork that takes in what is left of a past, against the model that saw all of it.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "operators/link/edgebank.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {
namespace {

constexpr int kNodes = 30;

graph::EventBatch MakeEvents(int count) {
  std::mt19937 random(3);
  graph::EventBatch events;
  graph::TimeUs time_us = 1'000'000;
  for (int i = 0; i < count; ++i) {
    time_us += static_cast<graph::TimeUs>(random() % 3) * 777;
    const auto source = static_cast<graph::NodeId>(random() % kNodes);
    events.source.push_back(source);
    events.target.push_back(random() % 2 == 0 ? source * 3 % kNodes
                                              : static_cast<graph::NodeId>(random() % kNodes));
    events.time_us.push_back(time_us);
  }
  return events;
}

void Advance(LinkModel& model, const graph::EventBatch& events) {
  std::vector<PairScore> scores(static_cast<std::size_t>(events.size()));
  model.Advance({.events = graph::EventSpan::Of(events),
                 .negative = {},
                 .extra_begin = {},
                 .extra = {},
                 .learn = false},
                {.positive = scores, .negative = {}, .extra = {}});
}

// Of node 1 with everybody, as of the last event.
std::vector<PairScore> ScoresOfOne(const LinkModel& model, const graph::EventBatch& events) {
  std::vector<graph::NodeId> targets;
  for (graph::NodeId node = 0; node < kNodes + 2; ++node) targets.push_back(node);
  const std::vector<graph::NodeId> sources(targets.size(), 1);
  std::vector<PairScore> scores(targets.size());
  model.ScorePairs(sources, targets, events.time_us.back(), scores);
  return scores;
}

// Those of the events that `keep` wants, with their places.
template <class Keep>
void ObserveSome(LinkModel& model, const graph::EventBatch& events, const Keep& keep) {
  graph::EventBatch kept;
  std::vector<std::uint64_t> place;
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    if (!keep(i)) continue;
    kept.source.push_back(events.source[i]);
    kept.target.push_back(events.target[i]);
    kept.time_us.push_back(events.time_us[i]);
    place.push_back(i);
  }
  model.ObservePast({.events = graph::EventSpan::Of(kept),
                     .place = place,
                     .stream_event_count = events.source.size(),
                     .first_us = events.time_us.front()});
}

WeftModel MakeModel(const std::vector<std::string>& without) {
  WeftOptions options;
  options.seed = 5;
  options.without = FindWeftGroups(without).value();
  return WeftModel(options, gpu::HostExec{});
}

TEST(WeftPast, AllEventsGiveTheStateOfThen) {
  const graph::EventBatch events = MakeEvents(2000);
  WeftModel model = MakeModel({});
  Advance(model, events);
  const auto fork = model.Fork(100);
  ObserveSome(*fork, events, [](std::size_t) { return true; });
  EXPECT_TRUE(ScoresOfOne(*fork, events) == ScoresOfOne(model, events));
  // The fork has the weights, and nothing of the events.
  EXPECT_FALSE(ScoresOfOne(*model.Fork(100), events) == ScoresOfOne(model, events));
}

TEST(WeftPast, ANodesEventsGiveItsRow) {
  const graph::EventBatch events = MakeEvents(2000);
  // What is left is read from the rows of the two nodes, and not of what others did.
  WeftModel model = MakeModel({"sequence", "common", "walk", "habit", "stream"});
  Advance(model, events);
  const std::vector<PairScore> expected = ScoresOfOne(model, events);
  for (const graph::NodeId target : {3u, 7u, 20u}) {
    const auto fork = model.Fork(100);
    ObserveSome(*fork, events, [&](std::size_t i) {
      return events.source[i] == 1 || events.target[i] == 1 || events.source[i] == target ||
             events.target[i] == target;
    });
    EXPECT_TRUE(ScoresOfOne(*fork, events)[target] == expected[target]) << target;
  }
}

TEST(WeftPast, OtherModelsTakeEventsInAsIfThereWereNoOthers) {
  const graph::EventBatch events = MakeEvents(500);
  EdgeBank model({});
  Advance(model, events);
  const auto fork = model.Fork(100);
  ObserveSome(*fork, events,
              [&](std::size_t i) { return events.source[i] == 1 || events.target[i] == 1; });
  EXPECT_TRUE(ScoresOfOne(*fork, events) == ScoresOfOne(model, events));
}

}  // namespace
}  // namespace weft::operators::link
