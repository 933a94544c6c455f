// Advance of every model against a plain loop over its events: one at a time is scored, whole times
// are observed.
#include <random>

#include <gtest/gtest.h>

#include "operators/link/edgebank.h"
#include "operators/link/link_training.h"
#include "operators/link/nat_model.h"
#include "operators/link/recency.h"

namespace weft::operators::link {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr std::size_t kFeatures = 2;

// Times stand still for most events; one stretch has many more than kBatch events of one time.
graph::EventBatch Bursts(int count) {
  std::mt19937 random(7);
  graph::EventBatch events;
  events.feature_count = kFeatures;
  graph::TimeUs time_us = 1000;
  for (int i = 0; i < count; ++i) {
    const bool burst = i % 100 >= 60;
    time_us += burst || random() % 3 != 0 ? 0 : 1 + random() % 50;
    events.source.push_back(static_cast<graph::NodeId>(random() % 20));
    events.target.push_back(static_cast<graph::NodeId>(20 + random() % 15));
    events.time_us.push_back(time_us);
    for (std::size_t k = 0; k < kFeatures; ++k)
      events.feature.push_back(static_cast<float>(random() % 9));
  }
  return events;
}

using Model = std::unique_ptr<GroupedLinkModel>;

struct Subject {
  std::string name;
  std::function<Model(LinkReads)> make;
};

std::vector<Subject> Subjects() {
  return {{"nat",
           [](LinkReads reads) -> Model {
             NatOptions options;
             options.reads = reads;
             options.micro_batch = kBatch;
             options.dimensions.feature_count = kFeatures;
             return std::make_unique<NatModel>(options, gpu::HostExec{});
           }},
          {"edgebank_window",
           [](LinkReads reads) -> Model {
             EdgeBankOptions options;
             options.reads = reads;
             options.batch = kBatch;
             options.window_us = 200;
             return std::make_unique<EdgeBank>(options);
           }},
          {"recency", [](LinkReads reads) -> Model {
             RecencyOptions options;
             options.reads = reads;
             options.batch = kBatch;
             return std::make_unique<Recency>(options);
           }}};
}

// The targets that are scored beside each event: a negative and up to three more.
struct Beside {
  std::vector<graph::NodeId> negative;
  std::vector<graph::NodeId> extra;
  std::vector<std::int32_t> extra_begin = {0};

  explicit Beside(const graph::EventBatch& events) {
    for (std::int64_t i = 0; i < events.size(); ++i) {
      negative.push_back(i % 11 == 0 ? graph::kNoNode : static_cast<graph::NodeId>(20 + i % 15));
      for (std::int64_t k = 0; k < i % 4; ++k)
        extra.push_back(static_cast<graph::NodeId>(20 + (i + 3 * k) % 17));
      extra_begin.push_back(static_cast<std::int32_t>(extra.size()));
    }
  }
};

struct Scores {
  std::vector<PairScore> positive, negative, extra;

  explicit Scores(const Beside& beside)
      : positive(beside.negative.size()),
        negative(beside.negative.size()),
        extra(beside.extra.size()) {}
  bool operator==(const Scores&) const = default;
  // The score of a negative that is none is unspecified.
  void Clean(const Beside& beside) {
    for (std::size_t i = 0; i < negative.size(); ++i)
      if (beside.negative[i] == graph::kNoNode) negative[i] = {};
  }
};

float ScoreAlone(GroupedLinkModel& model, const graph::EventBatch& events, std::int64_t at,
                 graph::NodeId target) {
  graph::EventSpan one = graph::EventSpan::Of(events, at, at + 1);
  one.target = std::span(&target, 1);
  float score = 0;
  model.Score(one, {}, std::span(&score, 1), {});
  return score;
}

Scores Loop(GroupedLinkModel& model, LinkReads reads, const graph::EventBatch& events,
            const Beside& beside) {
  Scores scores(beside);
  std::int64_t observed = 0;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (reads == LinkReads::kBeforeEvent ||
        events.time_us[static_cast<std::size_t>(observed)] != events.time_us[row]) {
      for (; observed < i; observed = std::min(i, observed + kBatch))
        model.Observe(graph::EventSpan::Of(events, observed, std::min(i, observed + kBatch)));
    }
    scores.positive[row] = PairScore::Of(ScoreAlone(model, events, i, events.target[row]));
    scores.negative[row] = PairScore::Of(ScoreAlone(model, events, i, beside.negative[row]));
    for (auto k = beside.extra_begin[row]; k < beside.extra_begin[row + 1]; ++k) {
      const auto place = static_cast<std::size_t>(k);
      scores.extra[place] = PairScore::Of(ScoreAlone(model, events, i, beside.extra[place]));
    }
  }
  scores.Clean(beside);
  return scores;
}

Scores Advance(LinkModel& model, const graph::EventBatch& events, const Beside& beside,
               std::int32_t step_events, bool learn) {
  Scores scores(beside);
  for (std::int64_t begin = 0, end = 0; begin < events.size(); begin = end) {
    end = LinkStepEnd(events, begin, events.size(), step_events, model.reads());
    const auto first = static_cast<std::size_t>(begin);
    const auto count = static_cast<std::size_t>(end - begin);
    std::vector<std::int32_t> extra_begin;
    const std::int32_t extra = beside.extra_begin[first];
    for (std::size_t i = first; i <= first + count; ++i)
      extra_begin.push_back(beside.extra_begin[i] - extra);
    const auto extras = static_cast<std::size_t>(extra_begin.back());
    model.Advance(
        {.events = graph::EventSpan::Of(events, begin, end),
         .negative = std::span(beside.negative).subspan(first, count),
         .extra_begin = extra_begin,
         .extra = std::span(beside.extra).subspan(static_cast<std::size_t>(extra), extras),
         .learn = learn},
        {.positive = std::span(scores.positive).subspan(first, count),
         .negative = std::span(scores.negative).subspan(first, count),
         .extra = std::span(scores.extra).subspan(static_cast<std::size_t>(extra), extras)});
  }
  scores.Clean(beside);
  return scores;
}

TEST(LinkModel, AdvanceIsThePlainLoopForAnyStep) {
  const graph::EventBatch events = Bursts(700);
  const Beside beside(events);
  for (const Subject& subject : Subjects()) {
    for (const LinkReads reads : {LinkReads::kBeforeEvent, LinkReads::kBeforeTime}) {
      const Model looped = subject.make(reads);
      const Scores expected = Loop(*looped, reads, events, beside);
      for (const std::int32_t step : {1, 5, 8, 32, 1000}) {
        const Model model = subject.make(reads);
        ASSERT_EQ(model->reads(), reads);
        EXPECT_TRUE(Advance(*model, events, beside, step, false) == expected)
            << subject.name << " " << LinkReadsName(reads) << ", steps of " << step;
      }
    }
  }
}

TEST(LinkModel, BatchesStartWithTheStep) {
  const graph::EventBatch events = Bursts(700);
  const Beside beside(events);
  for (const Subject& subject : Subjects()) {
    const Model model = subject.make(LinkReads::kBeforeBatch);
    const Scores expected = Advance(*model, events, beside, kBatch, false);
    const Model longer = subject.make(LinkReads::kBeforeBatch);
    EXPECT_TRUE(Advance(*longer, events, beside, 5 * kBatch, false) == expected) << subject.name;
    const Model shorter = subject.make(LinkReads::kBeforeBatch);
    EXPECT_FALSE(Advance(*shorter, events, beside, kBatch - 1, false) == expected) << subject.name;
  }
}

TEST(LinkModel, LearningDoesNotDependOnTheStepEither) {
  const graph::EventBatch events = Bursts(400);
  const Beside beside(events);
  for (const LinkReads reads : {LinkReads::kBeforeEvent, LinkReads::kBeforeTime}) {
    const Model one = Subjects()[0].make(reads), other = Subjects()[0].make(reads);
    const Scores expected = Advance(*one, events, beside, 3, true);
    EXPECT_TRUE(Advance(*other, events, beside, 100, true) == expected) << LinkReadsName(reads);
  }
}

TEST(LinkModel, NatReadsAgainWhatOthersWereScoredInBetween) {
  const graph::EventBatch events = Bursts(100);
  const Model one = Subjects()[0].make(LinkReads::kBeforeBatch);
  const Model other = Subjects()[0].make(LinkReads::kBeforeBatch);
  std::vector<float> score(kBatch);
  for (std::int64_t at = 0; at + 2 * kBatch <= events.size(); at += kBatch) {
    const auto span = graph::EventSpan::Of(events, at, at + kBatch);
    one->Observe(span);
    other->Score(graph::EventSpan::Of(events, at + kBatch, at + 2 * kBatch), {}, score, {});
    other->Observe(span);
  }
  EXPECT_EQ(ScoreAlone(*one, events, 99, 25), ScoreAlone(*other, events, 99, 25));
}

}  // namespace
}  // namespace weft::operators::link
