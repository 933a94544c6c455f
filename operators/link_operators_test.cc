// The link operators one at a time: options, ports, what they send and what they answer.
#include <set>
#include <tuple>
#include <utility>

#include "gmock/gmock.h"
#include "gpu/host_device.h"
#include "graph/text.h"
#include "gtest/gtest.h"
#include "operators/catalog.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/candidate_draws.h"
#include "operators/link/link_types.h"
#include "tests/harness/graph_run.h"
#include "tests/harness/operator_runner.h"

namespace weft::operators::link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::OperatorRunner;

graph::Packet Events(std::vector<graph::NodeId> source, std::vector<graph::NodeId> target,
                     std::uint64_t offset) {
  auto events = std::make_shared<graph::EventBatch>();
  for (std::size_t i = 0; i < source.size(); ++i) {
    events->time_us.push_back(static_cast<graph::TimeUs>(offset + i));
  }
  events->source = std::move(source);
  events->target = std::move(target);
  const graph::TimeUs time_us = events->time_us.empty() ? 0 : events->time_us.back();
  return graph::Packet::Make<graph::EventBatch>(std::move(events), {0, 0, offset}, time_us);
}

TEST(NegativeSamplerOperator, DrawsFromThePastAndNeverTheTrueTarget) {
  OperatorRunner runner(OperatorCatalog(), "negative_sampler", "seed: 5");
  ASSERT_TRUE(runner.status().ok()) << runner.status();
  std::uint64_t offset = 0;
  for (int packet = 0; packet < 40; ++packet) {
    const graph::EventBatch events =
        tests::RandomEvents(static_cast<std::uint64_t>(packet), 10, 6, packet * 100);
    ASSERT_TRUE(runner.Feed("EVENTS", Events(events.source, events.target, offset)).ok());
    offset += 10;
  }
  const auto outputs = runner.Outputs<LinkCandidates>("CANDIDATES");
  ASSERT_EQ(outputs.size(), 40u);
  for (const graph::NodeId negative : outputs[0]->negative) EXPECT_EQ(negative, graph::kNoNode);
  std::vector<int> count(6, 0);
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    for (std::size_t row = 0; row < 10; ++row) {
      const graph::NodeId negative = outputs[i]->negative[row];
      if (negative == graph::kNoNode) continue;
      EXPECT_NE(negative, outputs[i]->events.target[row]);
      ++count[negative];
    }
  }
  for (const int drawn : count) EXPECT_GT(drawn, 20);
}

// A stream of many events a time: three in four are of a source with one of its three own targets,
// the others with one of many.
std::vector<graph::EventBatch> RankedStream() {
  std::vector<graph::EventBatch> packets;
  for (std::uint64_t packet = 0; packet < 40; ++packet) {
    graph::EventBatch& events = packets.emplace_back();
    for (std::uint64_t number = packet * 64; number < packet * 64 + 64; ++number) {
      const auto drawn = [&](std::uint64_t slot, std::uint64_t count) {
        return static_cast<graph::NodeId>(gpu::CounterHash(1, number, slot) % count);
      };
      const graph::NodeId source = drawn(0, 11);
      events.source.push_back(source);
      events.target.push_back(drawn(1, 4) > 0 ? 100 + 3 * source + drawn(2, 3)
                                              : 200 + drawn(3, 600));
      events.time_us.push_back(static_cast<graph::TimeUs>(number / 200));
    }
  }
  return packets;
}

graph::Packet PacketOf(const graph::EventBatch& events, std::uint64_t offset) {
  return graph::Packet::Make<graph::EventBatch>(std::make_shared<graph::EventBatch>(events),
                                                {0, 0, offset}, events.time_us.back());
}

TEST(NegativeSamplerOperator, RanksSomeEventsAmongTargetsThatDidNotCome) {
  OperatorRunner runner(OperatorCatalog(), "negative_sampler", "seed: 5 ranked_one_in: 4");
  OperatorRunner without(OperatorCatalog(), "negative_sampler", "seed: 5 ranked_one_in: 0");
  std::uint64_t offset = 0;
  for (const graph::EventBatch& events : RankedStream()) {
    ASSERT_TRUE(runner.Feed("EVENTS", PacketOf(events, offset)).ok());
    ASSERT_TRUE(without.Feed("EVENTS", PacketOf(events, offset)).ok());
    offset += 64;
    if (offset == 640) {
      ASSERT_TRUE(runner.SaveAndLoad().ok());
    }
  }
  const auto outputs = runner.Outputs<LinkCandidates>("CANDIDATES");
  const auto plain = without.Outputs<LinkCandidates>("CANDIDATES");
  std::set<std::tuple<graph::NodeId, graph::NodeId, graph::TimeUs>> happened;
  std::set<std::pair<graph::NodeId, graph::NodeId>> met;
  std::set<graph::NodeId> seen;
  int ranked = 0, of_the_past = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const LinkCandidates& candidates = *outputs[i];
    EXPECT_EQ(candidates.negative, plain[i]->negative);
    EXPECT_TRUE(plain[i]->extra.empty() && plain[i]->extra_begin.empty());
    const graph::EventBatch& events = candidates.events;
    for (std::size_t row = 0; row < 64; ++row)
      happened.emplace(events.source[row], events.target[row], events.time_us[row]);
    for (std::size_t row = 0; row < 64 && !candidates.extra.empty(); ++row) {
      const auto begin = candidates.extra.begin() + candidates.extra_begin[row];
      const auto end = candidates.extra.begin() + candidates.extra_begin[row + 1];
      ranked += begin == end ? 0 : 1;
      EXPECT_LE(end - begin, static_cast<std::ptrdiff_t>(kRankCandidates));
      EXPECT_EQ(std::set<graph::NodeId>(begin, end).size(), static_cast<std::size_t>(end - begin));
      for (auto target = begin; target != end; ++target) {
        EXPECT_FALSE(happened.contains({events.source[row], *target, events.time_us[row]}));
        EXPECT_TRUE(seen.contains(*target));
        of_the_past += met.contains({events.source[row], *target}) ? 1 : 0;
      }
    }
    for (std::size_t row = 0; row < 64; ++row) {
      met.emplace(events.source[row], events.target[row]);
      seen.insert(events.target[row]);
    }
  }
  EXPECT_NEAR(ranked, 40 * 64 / 4, 80);
  EXPECT_GT(of_the_past, ranked * 5);
}

TEST(NegativeSamplerOperator, RefusesOptionsOutOfRange) {
  OperatorRunner negative(OperatorCatalog(), "negative_sampler", "ranked_one_in: -2");
  EXPECT_THAT(std::string(negative.status().message()),
              HasSubstr("ranked_one_in: expected 0 or more, got -2"));
  OperatorRunner sources(OperatorCatalog(), "negative_sampler", "max_sources: -1");
  EXPECT_THAT(std::string(sources.status().message()), HasSubstr("max_sources"));
}

// What the sampler sends of RankedStream to a model that takes micro-batches of its own.
std::vector<const LinkScores*> ScoresOf(OperatorRunner& sampler, OperatorRunner& model) {
  std::uint64_t offset = 0;
  for (const graph::EventBatch& events : RankedStream()) {
    EXPECT_TRUE(sampler.Feed("EVENTS", PacketOf(events, offset)).ok());
    const graph::Packet& packet = sampler.Packets("CANDIDATES").back();
    EXPECT_TRUE(model.Feed("CANDIDATES", packet).ok());
    offset += 64;
    if (offset == 1280) {
      EXPECT_TRUE(model.SaveAndLoad().ok());
    }
  }
  return model.Outputs<LinkScores>("SCORES");
}

TEST(LinkOperator, RanksAmongTheCandidates) {
  OperatorRunner sampler(OperatorCatalog(), "negative_sampler", "ranked_one_in: 4");
  OperatorRunner model(OperatorCatalog(), "edgebank", "scoring { batch: 24 }", {"CANDIDATES"});
  std::vector<float> ranks;
  for (const LinkScores* scores : ScoresOf(sampler, model)) {
    EXPECT_EQ(scores->node, "operator");
    EXPECT_FALSE(scores->learned);
    if (scores->rank.empty()) ranks.resize(ranks.size() + scores->positive_score.size(), 0.0f);
    ranks.insert(ranks.end(), scores->rank.begin(), scores->rank.end());
  }
  std::size_t event = 0;
  int known = 0, unknown = 0;
  for (const LinkCandidates* candidates : sampler.Outputs<LinkCandidates>("CANDIDATES")) {
    for (std::size_t row = 0; row < 64; ++row, ++event) {
      const std::int32_t count = candidates->extra.empty() ? 0
                                                           : candidates->extra_begin[row + 1] -
                                                                 candidates->extra_begin[row];
      EXPECT_EQ(count > 0, ranks[event] > 0.0f) << event;
      if (count == 0) continue;
      EXPECT_LE(ranks[event], static_cast<float>(1 + count));
      // A pair that EdgeBank knows is before most candidates, others are in the middle or behind.
      (ranks[event] < 0.4f * static_cast<float>(count) ? known : unknown) += 1;
    }
  }
  EXPECT_EQ(event, ranks.size());
  EXPECT_GT(known, 100);
  EXPECT_GT(unknown, 10);
}

TEST(LinkOperator, CalibratesModelsThatDoNot) {
  const std::pair<const char*, const char*> models[] = {
      {"edgebank", ""},
      {"recency", ""},
      {"nat",
       "max_nodes: 512 first_hop_slots: 6 second_hop_slots: 4 self_width: 16 hidden_width: 24"}};
  for (const auto& [name, options] : models) {
    OperatorRunner sampler(OperatorCatalog(), "negative_sampler");
    OperatorRunner model(OperatorCatalog(), name, options, {"CANDIDATES"});
    ASSERT_TRUE(model.status().ok()) << model.status();
    std::vector<float> positive;
    std::vector<float> negative;
    for (const LinkScores* scores : ScoresOf(sampler, model)) {
      ASSERT_EQ(scores->positive_probability.size(), scores->positive_score.size());
      for (std::size_t i = 0; i < scores->negative.size(); ++i) {
        if (scores->negative[i] == graph::kNoNode) continue;
        positive.push_back(scores->positive_probability[i]);
        negative.push_back(scores->negative_probability[i]);
      }
    }
    const auto half = positive.size() / 2;
    const double error = learn::CalibrationError(
        learn::Reliability(std::span(positive).last(half), std::span(negative).last(half), 5));
    // Targets that were never seen are always true here, which no rising curve can say.
    EXPECT_LT(error, 0.12) << name;
    // Clients get such probabilities too.
    EXPECT_TRUE(model
                    .Read([](const graph::Operator& op) {
                      const auto& reader = dynamic_cast<const LinkReader&>(op);
                      const std::vector<graph::NodeId> source = {1};
                      const std::vector<graph::NodeId> target = {100000};
                      std::vector<PairScore> score(1);
                      reader.ScorePairs(source, target, score);
                      EXPECT_GT(score[0].probability, 0.0f);
                      EXPECT_LT(score[0].probability, 1.0f);
                      EXPECT_NE(score[0].probability, score[0].random);
                    })
                    .ok());
  }
}

TEST(LinkOperator, NeedsExactlyOneInput) {
  OperatorRunner both(OperatorCatalog(), "recency");
  EXPECT_THAT(std::string(both.status().message()),
              HasSubstr("exactly one of CANDIDATES and EVENTS"));
  OperatorRunner one(OperatorCatalog(), "recency", "", {"EVENTS"});
  EXPECT_TRUE(one.status().ok()) << one.status();
}

TEST(LinkOperator, RefusesOptionsOutOfRange) {
  const struct {
    const char* name;
    const char* options;
    const char* message;
  } cases[] = {
      {"recency", "scoring { batch: 5000 }", "scoring.batch: expected 1 to 4096, got 5000"},
      {"recency", "partners_per_node: -1", "partners_per_node: expected 1 to 1024, got -1"},
      {"edgebank", "max_pairs: -5", "max_pairs"},
      {"edgebank", "window_seconds: nan", "window_seconds: expected 0 to"},
      {"edgebank", "scoring { max_targets: -1 }", "scoring.max_targets"},
  };
  for (const auto& wrong : cases) {
    OperatorRunner runner(OperatorCatalog(), wrong.name, wrong.options, {"EVENTS"});
    EXPECT_EQ(runner.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(runner.status().message()), HasSubstr(wrong.message));
  }
}

TEST(LinkOperator, ScoresBeforeItSees) {
  OperatorRunner runner(OperatorCatalog(), "edgebank", "scoring { batch: 2 }", {"EVENTS"});
  ASSERT_TRUE(runner.Feed("EVENTS", Events({1, 1, 1, 3}, {2, 2, 2, 4}, 0)).ok());
  const auto outputs = runner.Outputs<LinkScores>("SCORES");
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_THAT(outputs[0]->positive_score, ElementsAre(0.0f, 0.0f));  // one micro-batch
  EXPECT_THAT(outputs[1]->positive_score, ElementsAre(1.0f, 0.0f));
  EXPECT_TRUE(outputs[0]->negative_score.empty());
  EXPECT_EQ(outputs[0]->model, "edgebank");
  EXPECT_EQ(runner.Packets("SCORES")[1].position().offset, 2u);
}

TEST(LinkOperator, AnswersClientsAndChangesNothing) {
  OperatorRunner runner(OperatorCatalog(), "edgebank", "scoring { max_targets: 2 }", {"EVENTS"});
  ASSERT_TRUE(runner.Feed("EVENTS", Events({1, 1, 1}, {7, 8, 9}, 0)).ok());
  const auto before = runner.StateHash();
  ASSERT_TRUE(runner
                  .Read([](const graph::Operator& op) {
                    const auto* reader = dynamic_cast<const LinkReader*>(&op);
                    ASSERT_NE(reader, nullptr);
                    const std::vector<graph::NodeId> source = {1, 1, graph::kNoNode};
                    const std::vector<graph::NodeId> target = {7, 5, 7};
                    std::vector<PairScore> score(3);
                    reader->ScorePairs(source, target, score);
                    EXPECT_THAT(score, ElementsAre(PairScore::Of(1.0f), PairScore::Of(0.0f),
                                                   PairScore::Of(0.0f)));
                    EXPECT_THAT(reader->RecentTargets(10), ElementsAre(9u, 8u));
                    EXPECT_THAT(reader->RecentTargets(1), ElementsAre(9u));
                    EXPECT_EQ(reader->known_target_count(), 2);
                    EXPECT_EQ(reader->model_name(), "edgebank");
                  })
                  .ok());
  EXPECT_EQ(*runner.StateHash(), *before);
}

}  // namespace
}  // namespace weft::operators::link
