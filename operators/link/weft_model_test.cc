// weft: its derivatives by finite differences, what its scores may read, its determinism, its
// saving, and that it learns. Its features: weft_features_test.cc.
#include "operators/link/weft_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include "gpu/host_device.h"
#include "operators/learn/derivative_check.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

using graph::EventBatch;
using graph::EventSpan;
using graph::NodeId;

constexpr NodeId kSources = 40, kTargets = 60;

// Each source goes round its three favourite targets; some noise, some who meet themselves. Times
// stand still often, and now and then for more events than a step has.
EventBatch MakeEvents(std::int64_t count) {
  std::mt19937_64 random(5);
  std::map<NodeId, NodeId> turn;
  EventBatch events;
  graph::TimeUs time_us = 1'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto source = static_cast<NodeId>(random() % kSources);
    const bool noise = random() % 10 == 0;
    const NodeId place = noise ? static_cast<NodeId>(random()) : source * 3 + turn[source]++ % 3;
    const bool burst = i % 400 >= 300;
    if (!burst && random() % 3 == 0) time_us += static_cast<graph::TimeUs>(random() % 100'000);
    events.source.push_back(source);
    events.target.push_back(random() % 50 == 0 ? source : kSources + place % kTargets);
    events.time_us.push_back(time_us);
  }
  return events;
}

// Of some events there is none.
NodeId NegativeOf(std::int64_t i) {
  if (i % 11 == 0) return graph::kNoNode;
  return static_cast<NodeId>(kSources + gpu::Mix64(static_cast<std::uint64_t>(i)) % kTargets);
}

struct Scores {
  std::vector<PairScore> positive, negative, extra;
  bool operator==(const Scores&) const = default;
};

struct Course {
  std::int64_t step = 32;  // events of a call
  bool learn = false;
  bool file = false;  // reports progress
};

// Streams events [begin, end) through the model; beside each event a negative and up to three
// more, one of whom nobody knows.
Scores Stream(WeftModel& model, const EventBatch& events, std::int64_t begin, std::int64_t end,
              const Course& course = {}) {
  Scores all;
  for (std::int64_t at = begin; at < end; at += course.step) {
    const std::int64_t stop = std::min(end, at + course.step);
    std::vector<NodeId> negative, extra;
    std::vector<std::int32_t> extra_begin = {0};
    for (std::int64_t i = at; i < stop; ++i) {
      negative.push_back(NegativeOf(i));
      for (std::int64_t k = 0; k < i % 4; ++k)
        extra.push_back(k == 2 ? 9999 : NegativeOf(1'000'000 + 3 * i + k));
      extra_begin.push_back(static_cast<std::int32_t>(extra.size()));
    }
    if (course.file)
      model.SetTrainingProgress(static_cast<double>(at - begin) / static_cast<double>(end - begin));
    Scores step = {std::vector<PairScore>(negative.size()), std::vector<PairScore>(negative.size()),
                   std::vector<PairScore>(extra.size())};
    model.Advance({.events = EventSpan::Of(events, at, stop),
                   .negative = negative,
                   .extra_begin = extra_begin,
                   .extra = extra,
                   .learn = course.learn},
                  {.positive = step.positive, .negative = step.negative, .extra = step.extra});
    for (const auto part : {&Scores::positive, &Scores::negative, &Scores::extra})
      (all.*part).insert((all.*part).end(), (step.*part).begin(), (step.*part).end());
  }
  return all;
}

MemoryCheckpoint Saved(const WeftModel& model) {
  MemoryCheckpoint checkpoint;
  EXPECT_TRUE(model.SaveWeights(checkpoint).ok());
  EXPECT_TRUE(model.SaveState(checkpoint).ok());
  return checkpoint;
}

void Load(const MemoryCheckpoint& from, WeftModel& model) {
  MemoryCheckpointReader reader(from);
  ASSERT_TRUE(model.LoadWeights(reader).ok());
  ASSERT_TRUE(model.LoadState(reader).ok());
}

WeftOptions OptionsOf(LinkReads reads, std::int64_t step_events = 64) {
  WeftOptions options;
  options.reads = reads;
  options.step_events = step_events;
  return options;
}

// A model that learned, and has no state.
std::unique_ptr<WeftModel> LearnedModel(const WeftOptions& options,
                                        const gpu::HostExec& exec = {}) {
  static const MemoryCheckpoint kLearned = [] {
    WeftModel model(WeftOptions{}, gpu::HostExec{});
    Stream(model, MakeEvents(1500), 0, 1500, {.learn = true});
    return Saved(model);
  }();
  auto model = std::make_unique<WeftModel>(options, exec);
  MemoryCheckpointReader reader(kLearned);
  EXPECT_TRUE(model->LoadWeights(reader).ok());
  return model;
}

double LossOf(const std::vector<float>& logits, const std::vector<WeftLesson>& lessons) {
  const auto cross_entropy = [](double logit, double happened) {
    return std::log1p(std::exp(-std::abs(logit))) + std::max(logit, 0.0) - logit * happened;
  };
  double loss = 0;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    for (std::size_t l = 0; l < kHeadLogits; ++l)
      loss +=
          lessons[i].weight[l] * cross_entropy(logits[kHeadLogits * i + l], lessons[i].happened);
  }
  return loss;
}

TEST(WeftHead, DerivativesAgreeWithFiniteDifferences) {
  constexpr std::size_t kRows = 48;
  constexpr float kScale = 0.25f;
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> features(kRows * kWeftStride);
  for (std::size_t i = 0; i < features.size(); ++i)
    if (i % kWeftStride < kWeftColumnCount) features[i] = 3.0f * normal(random) + 1.0f;
  std::vector<WeftLesson> lessons;
  for (std::size_t i = 0; i < kRows; ++i)
    lessons.push_back({i % 3 == 0 ? 1.0f : 0.0f,
                       {0.5f * static_cast<float>(i % 3), i % 2 == 0 ? 1.0f : 0.0f, 0.3f}});
  WeftHead::Options options;
  options.max_rows = 64;
  WeftHead head(options, gpu::HostExec{});
  for (int i = 0; i < 10; ++i) {
    head.ObserveScale(features.data(), kRows);
    head.Learn(features.data(), lessons, kScale, 1.0f);
  }
  std::vector<float> logits(kHeadLogits * kRows);
  const auto loss = [&] {
    head.Logits(features.data(), kRows, logits.data());
    return static_cast<double>(kScale) * LossOf(logits, lessons);
  };
  head.ComputeGradient(features.data(), lessons, kScale);
  const std::vector<float> gradient(head.gradient().begin(), head.gradient().end());
  constexpr learn::PerceptronLayout kLayout = kWeftHeadLayout;
  learn::ExpectDerivative(head.weights(), gradient,
                          {kLayout.first, kLayout.first_bias, kLayout.second, kLayout.second_bias,
                           kLayout.output, kLayout.output_bias, kLayout.count},
                          loss, 0.01);
}

TEST(WeftModel, ScoresDoNotDependOnTheSteps) {
  const EventBatch events = MakeEvents(1500);
  for (const LinkReads reads : {LinkReads::kBeforeTime, LinkReads::kBeforeEvent}) {
    for (const std::int64_t max_nodes : {1000, 30}) {
      const auto model = [&](std::int64_t step_events) {
        WeftOptions options = OptionsOf(reads, step_events);
        options.table.max_nodes = max_nodes;
        options.table.before_rows = 20;
        return LearnedModel(options);
      };
      const Scores expected = Stream(*model(1), events, 0, 1500, {.step = 1});
      for (const auto& [step_events, step] :
           std::vector<std::pair<int, int>>{{64, 1500}, {64, 32}, {7, 200}, {100, 1}, {512, 13}})
        EXPECT_TRUE(Stream(*model(step_events), events, 0, 1500, {.step = step}) == expected)
            << LinkReadsName(reads) << ", " << max_nodes << " nodes, " << step_events << ", "
            << step;
    }
  }
}

TEST(WeftModel, ABatchOfOneReadsEverythingBeforeTheEvent) {
  const EventBatch events = MakeEvents(800);
  const Scores expected = Stream(*LearnedModel(OptionsOf(LinkReads::kBeforeEvent)), events, 0, 800);
  EXPECT_TRUE(Stream(*LearnedModel(OptionsOf(LinkReads::kBeforeBatch, 1)), events, 0, 800) ==
              expected);
  EXPECT_FALSE(Stream(*LearnedModel(OptionsOf(LinkReads::kBeforeTime)), events, 0, 800) ==
               expected);
}

// Every event scores as if it were the only one that came after the groups before it: in
// before_time, groups are the events of one time, in before_batch, those of a step.
TEST(WeftModel, EventsOfOneGroupDoNotSeeEachOther) {
  const EventBatch events = MakeEvents(900);
  for (const LinkReads reads : {LinkReads::kBeforeTime, LinkReads::kBeforeBatch}) {
    const auto whole = LearnedModel(OptionsOf(reads, 16));
    const Scores scores = Stream(*whole, events, 0, 900, {.step = 16});
    // What is calibrated on depends on the batches.
    const auto before = LearnedModel(OptionsOf(reads, reads == LinkReads::kBeforeBatch ? 16 : 1));
    std::int64_t group_begin = 0;
    for (std::int64_t i = 0; i < 900; ++i) {
      const auto e = static_cast<std::size_t>(i);
      const bool starts = reads == LinkReads::kBeforeBatch
                              ? i % 16 == 0
                              : events.time_us[e] != events.time_us[e - (i > 0 ? 1 : 0)];
      if (starts) {
        Stream(*before, events, group_begin, i);
        group_begin = i;
      }
      PairScore asked;
      const EventSpan only = EventSpan::Of(events, i, i + 1);
      before->ScorePairs(only.source, only.target, only.time_us[0], {&asked, 1});
      EXPECT_EQ(asked, scores.positive[e]) << LinkReadsName(reads) << ", event " << i;
      if (i % 10 != 0) continue;
      const auto alone = LearnedModel(OptionsOf(reads, 16));
      Load(Saved(*before), *alone);
      EXPECT_EQ(Stream(*alone, events, i, i + 1).positive[0], scores.positive[e]);
    }
  }
}

TEST(WeftModel, ScoresPairsAsItScoresTheNextEvent) {
  const EventBatch events = MakeEvents(1000);
  const auto asked = LearnedModel(OptionsOf(LinkReads::kBeforeEvent));
  const auto quiet = LearnedModel(OptionsOf(LinkReads::kBeforeEvent));
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const auto e = static_cast<std::size_t>(i);
    std::vector<NodeId> target = {events.target[e], NegativeOf(i)};
    for (std::int64_t k = 0; k < i % 4; ++k)
      target.push_back(k == 2 ? 9999 : NegativeOf(1'000'000 + 3 * i + k));
    const std::vector<NodeId> source(target.size(), events.source[e]);
    std::vector<PairScore> score(target.size());
    asked->ScorePairs(source, target, events.time_us[e], score);
    const Scores next = Stream(*asked, events, i, i + 1);
    EXPECT_EQ(score[0], next.positive[0]) << i;
    EXPECT_EQ(score[1], next.negative[0]) << i;
    EXPECT_TRUE(std::equal(score.begin() + 2, score.end(), next.extra.begin(), next.extra.end()))
        << i;
    EXPECT_TRUE(Stream(*quiet, events, i, i + 1) == next) << i;
  }
  EXPECT_EQ(Saved(*asked).sections(), Saved(*quiet).sections());
}

TEST(WeftModel, ReadsChangeNothingAndKnowNewNodes) {
  const EventBatch events = MakeEvents(400);
  WeftModel quiet(WeftOptions{}, gpu::HostExec{}), asked(WeftOptions{}, gpu::HostExec{});
  // Of someone who has sent, of one who has not, of nobody.
  const std::vector<NodeId> source = {3, 3, 3, 5'000, 5'000, graph::kNoNode, graph::kNoNode};
  const std::vector<NodeId> target = {45, 6'000, graph::kNoNode, 45, 6'000, 45, graph::kNoNode};
  std::vector<PairScore> score(source.size());
  for (std::int64_t at = 0; at < 400; at += 50) {
    asked.ScorePairs(source, target, events.time_us[static_cast<std::size_t>(at)], score);
    EXPECT_EQ(Saved(asked).sections(), Saved(quiet).sections()) << at;
    for (const PairScore& s : score) {
      EXPECT_TRUE(s.random > 0.0f && s.random < 1.0f) << s.random;
      EXPECT_TRUE(std::isfinite(s.historical) && std::isfinite(s.joint));
    }
    EXPECT_EQ(score[1], score[2]);
    EXPECT_EQ(score[3], score[5]);
    EXPECT_EQ(score[4], score[6]);
    EXPECT_TRUE(Stream(asked, events, at, at + 50, {.learn = true}) ==
                Stream(quiet, events, at, at + 50, {.learn = true}));
  }
}

// Everything that a run gives: scores, reads, weights and state.
struct Result {
  Scores scores;
  std::vector<PairScore> asked;
  MemoryCheckpoint saved;
};

Result ResultOn(const gpu::HostExec& exec) {
  Result result;
  WeftModel model(OptionsOf(LinkReads::kBeforeTime), exec);
  const EventBatch events = MakeEvents(700);
  result.scores = Stream(model, events, 0, 700, {.step = 100, .learn = true});
  std::vector<NodeId> source, target;
  for (NodeId i = 0; i < 3000; ++i) {
    source.push_back(i * 7 / 100 % 50);
    target.push_back(i % 110);
  }
  result.asked.resize(source.size());
  model.ScorePairs(source, target, events.time_us.back() + 5, result.asked);
  result.saved = Saved(model);
  return result;
}

void ExpectSame(const Result& a, const Result& b) {
  EXPECT_TRUE(a.scores == b.scores);
  EXPECT_TRUE(a.asked == b.asked);
  EXPECT_TRUE(a.saved.sections() == b.saved.sections());
}

TEST(WeftModel, GivesTheSameBitsWithAnyVectors) {
  if (gpu::WidestVectors() != gpu::HostVectors::kAvx512)
    GTEST_SKIP() << "this machine has no AVX-512";
  ExpectSame(ResultOn({.vectors = gpu::HostVectors::kAvx2}),
             ResultOn({.vectors = gpu::HostVectors::kAvx512}));
}

TEST(WeftModelThreads, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Result expected = ResultOn({.grain = 1 << 20});
  for (const int threads : {1, 2, 8}) {
    tbb::global_control allow(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    tbb::task_arena arena(threads);
    arena.execute([&] {
      SCOPED_TRACE(threads);
      ExpectSame(ResultOn({.grain = 4}), expected);
    });
  }
}

TEST(WeftModel, GoesOnFromASavedStateAsIfNothingHadHappened) {
  const EventBatch events = MakeEvents(900);
  // In a burst, so inside a group.
  constexpr std::int64_t kSaveAt = 350;
  ASSERT_EQ(events.time_us[kSaveAt - 1], events.time_us[kSaveAt]);
  for (const LinkReads reads :
       {LinkReads::kBeforeTime, LinkReads::kBeforeEvent, LinkReads::kBeforeBatch}) {
    WeftModel whole(OptionsOf(reads), gpu::HostExec{});
    Stream(whole, events, 0, kSaveAt, {.learn = true});
    const MemoryCheckpoint saved = Saved(whole);
    const Scores expected = Stream(whole, events, kSaveAt, 900, {.learn = true});
    WeftModel restored(OptionsOf(reads), gpu::HostExec{});
    Stream(restored, events, 100, 500, {.learn = true});  // all of it replaced
    Load(saved, restored);
    EXPECT_EQ(Saved(restored).sections(), saved.sections());
    EXPECT_TRUE(Stream(restored, events, kSaveAt, 900, {.learn = true}) == expected);
    EXPECT_EQ(Saved(restored).sections(), Saved(whole).sections());
  }
}

TEST(WeftModel, RefusesDamagedSections) {
  const EventBatch events = MakeEvents(400);
  WeftModel model(WeftOptions{}, gpu::HostExec{});
  Stream(model, events, 0, 350, {.learn = true});
  const MemoryCheckpoint saved = Saved(model);
  const auto load = [](const MemoryCheckpoint& checkpoint, const WeftOptions& options) {
    WeftModel loaded(options, gpu::HostExec{});
    MemoryCheckpointReader reader(checkpoint);
    const absl::Status status = loaded.LoadWeights(reader);
    return status.ok() ? loaded.LoadState(reader) : status;
  };
  ASSERT_TRUE(load(saved, {}).ok());
  for (const auto& [section, bytes] : saved.sections()) {
    ASSERT_FALSE(bytes.empty()) << section;
    for (const std::size_t size : {bytes.size() - 1, bytes.size() / 2, std::size_t{0}}) {
      MemoryCheckpoint cut;
      for (const auto& [name, whole] : saved.sections()) {
        const auto all = std::as_bytes(std::span(whole));
        ASSERT_TRUE(cut.Write(name, name == section ? all.first(size) : all).ok());
      }
      EXPECT_FALSE(load(cut, {}).ok()) << section << " cut to " << size;
    }
    // Counts and sizes stand first.
    if (section == "weights" || section == "nodes" || section == "row_bytes" ||
        section == "columns" || section == "memory" || section == "events_since_memory") {
      MemoryCheckpoint wrong;
      for (const auto& [name, whole] : saved.sections()) {
        std::string changed = whole;
        if (name == section) changed[6] = static_cast<char>(0x7f);
        ASSERT_TRUE(wrong.Write(name, std::as_bytes(std::span(changed))).ok());
      }
      EXPECT_FALSE(load(wrong, {}).ok()) << section << " with another start";
    }
  }
  MemoryCheckpoint old;
  for (const auto& [name, bytes] : saved.sections()) {
    if (name == "calibration") continue;
    ASSERT_TRUE(old.Write(name, std::as_bytes(std::span(bytes))).ok());
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(load(old, {}))) << load(old, {});
  WeftOptions other;
  other.table.slots = 8;
  EXPECT_FALSE(load(saved, other).ok());
  other = {};
  other.table.max_nodes = 1000;
  EXPECT_FALSE(load(saved, other).ok());
}

double ApOf(const Scores& scores, std::size_t begin, std::size_t end, float PairScore::*of) {
  std::vector<float> positive, negative;
  for (std::size_t i = begin; i < end; ++i) {
    if (NegativeOf(static_cast<std::int64_t>(i)) == graph::kNoNode) continue;
    positive.push_back(scores.positive[i].*of);
    negative.push_back(scores.negative[i].*of);
  }
  return learn::RankingOf(positive, negative).average_precision;
}

// How often, of an event's target and the source's last one, the former has the higher score.
double BeatsLastTarget(WeftModel& model, const EventBatch& events, std::int64_t begin,
                       std::int64_t end) {
  std::map<NodeId, NodeId> last;
  double asked = 0, better = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto e = static_cast<std::size_t>(i);
    const NodeId source = events.source[e];
    if (last.contains(source) && last[source] != events.target[e]) {
      std::vector<PairScore> score(2);
      model.ScorePairs(std::vector<NodeId>{source, source},
                       std::vector<NodeId>{events.target[e], last[source]}, events.time_us[e],
                       score);
      asked += 1;
      better += score[0].historical > score[1].historical ? 1 : 0;
    }
    Stream(model, events, i, i + 1);
    last[source] = events.target[e];
  }
  return better / asked;
}

TEST(WeftModel, LearnsWhoComesNext) {
  const EventBatch events = MakeEvents(6400);
  for (const bool file : {false, true}) {
    SCOPED_TRACE(file ? "of a file" : "online");
    WeftModel model(OptionsOf(LinkReads::kBeforeEvent), gpu::HostExec{});
    const Scores scores = Stream(model, events, 0, 4800, {.learn = true, .file = file});
    const double first = ApOf(scores, 0, 300, &PairScore::random);
    const double last = ApOf(scores, 4300, 4800, &PairScore::random);
    const double joint = ApOf(scores, 4300, 4800, &PairScore::joint);
    EXPECT_GT(last, 0.93);
    EXPECT_GT(last, first + 0.05);
    EXPECT_GT(joint, 0.9);
    EXPECT_GT(BeatsLastTarget(model, events, 4800, 6400), 0.9);
  }
  double unlearned = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    WeftOptions options = OptionsOf(LinkReads::kBeforeEvent);
    options.seed = seed;
    WeftModel model(options, gpu::HostExec{});
    Stream(model, events, 0, 4800);
    unlearned += BeatsLastTarget(model, events, 4800, 6400) / 3;
  }
  EXPECT_LT(unlearned, 0.7);
}

// Frozen weights on a stream whose targets became less foreseeable.
TEST(WeftModel, CalibratesWhileItsWeightsStandStill) {
  EventBatch events = MakeEvents(6000);
  for (std::size_t i = 0; i < events.target.size(); i += 2)
    events.target[i] = static_cast<NodeId>(40 + gpu::CounterHash(3, i, 0) % 60);
  for (const LinkReads reads : {LinkReads::kBeforeTime, LinkReads::kBeforeBatch}) {
    const auto model = LearnedModel(OptionsOf(reads));
    const Scores scores = Stream(*model, events, 0, 6000, {.step = 64});
    const auto error = [&](float PairScore::*of) {
      std::vector<float> positive, negative;
      for (std::size_t i = 3000; i < 6000; ++i) {
        if (NegativeOf(static_cast<std::int64_t>(i)) == graph::kNoNode) continue;
        positive.push_back(scores.positive[i].*of);
        negative.push_back(scores.negative[i].*of);
      }
      return learn::CalibrationError(learn::Reliability(positive, negative));
    };
    EXPECT_GT(error(&PairScore::random), 0.12);
    EXPECT_LT(error(&PairScore::probability), 0.06);
  }
}

}  // namespace
}  // namespace weft::operators::link
