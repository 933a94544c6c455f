// Versions of weft's weights: what is kept and taken back, how all of them are compared, and when
// the drift guard goes back.
#include "operators/link/weft_versions.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/host_device.h"
#include "operators/link/memory_checkpoint.h"
#include "operators/link/model_file.h"
#include "operators/link/recency.h"
#include "operators/link/warm_start.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {
namespace {

using graph::EventBatch;
using graph::NodeId;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr NodeId kSources = 40, kTargets = 200;
constexpr std::int64_t kWindow = WeftVersions::kWindowEvents;
constexpr std::int64_t kStep = 64;

// Each source keeps to its four favourite targets, mostly.
EventBatch MakeEvents(std::int64_t count) {
  EventBatch events;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto draw = [i](std::uint64_t salt) {
      return gpu::Mix64(static_cast<std::uint64_t>(i) * 4 + salt);
    };
    const auto source = static_cast<NodeId>(draw(0) % kSources);
    const NodeId place = draw(1) % 8 == 0 ? static_cast<NodeId>(draw(2) % kTargets)
                                          : (source * 4 + static_cast<NodeId>(draw(2) % 4));
    events.source.push_back(source);
    events.target.push_back(kSources + place % kTargets);
    events.time_us.push_back(i * 1000);
  }
  return events;
}

std::vector<NodeId> MakeNegatives(std::int64_t count) {
  std::vector<NodeId> negatives;
  for (std::int64_t i = 0; i < count; ++i)
    negatives.push_back(
        i % 16 == 0
            ? graph::kNoNode
            : static_cast<NodeId>(kSources + gpu::Mix64(static_cast<std::uint64_t>(i)) % kTargets));
  return negatives;
}

struct Scores {
  std::vector<PairScore> positive, negative;
};

Scores Stream(LinkModel& model, const EventBatch& events, std::int64_t begin, std::int64_t end,
              bool learn) {
  const std::vector<NodeId> negatives = MakeNegatives(events.size());
  Scores all;
  for (std::int64_t at = begin; at < end; at += kStep) {
    const std::int64_t stop = std::min(end, at + kStep);
    const auto count = static_cast<std::size_t>(stop - at);
    Scores step = {std::vector<PairScore>(count), std::vector<PairScore>(count)};
    model.Advance({.events = graph::EventSpan::Of(events, at, stop),
                   .negative = std::span(negatives).subspan(static_cast<std::size_t>(at), count),
                   .extra_begin = {},
                   .extra = {},
                   .learn = learn},
                  {.positive = step.positive, .negative = step.negative, .extra = {}});
    all.positive.insert(all.positive.end(), step.positive.begin(), step.positive.end());
    all.negative.insert(all.negative.end(), step.negative.begin(), step.negative.end());
  }
  return all;
}

// Whether event i is among those that are compared: some have no negative.
bool IsCompared(std::int64_t i) {
  return i % 16 != 0 && WeftVersions::IsCompared((i / kStep + 1) * kStep);
}

// Events until a window is complete.
std::int64_t EventsOfWindow() {
  std::int64_t compared = 0;
  for (std::int64_t at = 0;; at += kStep) {
    if (compared >= kWindow) return at;
    for (std::int64_t i = at; i < at + kStep; ++i) compared += IsCompared(i);
  }
}

std::unique_ptr<WeftModel> WarmModel(WeftOptions options = {}) {
  auto model = std::make_unique<WeftModel>(options, gpu::HostExec{});
  EXPECT_TRUE(ReadModelBytes("warm start", WarmStartModel(), *model).ok());
  return model;
}

std::string ColdModelFile(std::uint64_t seed) {
  WeftOptions options;
  options.seed = seed;
  return *WeftModel(options, gpu::HostExec{}).ExportVersion(0);
}

std::vector<std::uint64_t> Numbers(const ModelVersions& list) {
  std::vector<std::uint64_t> numbers;
  for (const ModelVersion& version : list.versions) numbers.push_back(version.number);
  return numbers;
}

const ModelVersion& Version(const ModelVersions& list, std::uint64_t number) {
  for (const ModelVersion& version : list.versions)
    if (version.number == number) return version;
  ADD_FAILURE() << "no version " << number;
  return list.versions.front();
}

TEST(WeftVersions, AVersionScoresAsAModelThatStoppedLearningThere) {
  const std::int64_t window = EventsOfWindow();
  const EventBatch events = MakeEvents(window);
  WeftOptions options;
  options.table.slots = 64;
  const auto model = WarmModel(options);
  ASSERT_TRUE(model->KeepVersion("at the start").ok());
  Stream(*model, events, 0, window, true);
  const ModelVersions list = model->Versions();

  const auto frozen = WarmModel(options);
  const Scores scores = Stream(*frozen, events, 0, window, false);
  Recency recency({.partners_per_node = 1024, .reads = LinkReads::kBeforeTime});
  const Scores mixed = Stream(recency, events, 0, window, false);
  const std::vector<NodeId> negatives = MakeNegatives(window);
  double loss = 0, wrong = 0, recency_wrong = 0;
  std::int64_t count = 0;
  const auto error = [](float positive, float negative) {
    return negative > positive ? 1.0 : negative == positive ? 0.5 : 0.0;
  };
  for (std::size_t i = 0; i < negatives.size(); ++i) {
    if (!IsCompared(static_cast<std::int64_t>(i))) continue;
    ++count;
    loss -= std::log(scores.positive[i].random) + std::log(1.0 - scores.negative[i].random);
    wrong += error(scores.positive[i].random, scores.negative[i].random);
    recency_wrong += error(mixed.positive[i].random, mixed.negative[i].random);
  }
  const VersionFigures& figures = Version(list, 1).figures;
  EXPECT_EQ(figures.events, count);
  EXPECT_EQ(list.live.events, count);
  const auto events_compared = static_cast<double>(count);
  EXPECT_NEAR(figures.log_loss, loss / (2 * events_compared), 1e-4);
  EXPECT_NEAR(figures.error, wrong / events_compared, 1e-3);
  EXPECT_NEAR(list.recency_error, recency_wrong / events_compared, 0.01);
  EXPECT_NEAR(figures.loss_difference, figures.log_loss - list.live.log_loss, 1e-9);
  EXPECT_GT(figures.loss_difference_error, 0.0);
}

TEST(WeftVersions, TheGuardFollowsWeightsThatDoWell) {
  const EventBatch events = MakeEvents(6 * EventsOfWindow());
  WeftModel model(WeftOptions{}, gpu::HostExec{});
  Stream(model, events, 0, events.size(), true);
  const ModelVersions list = model.Versions();
  ASSERT_EQ(list.versions.size(), 1u);
  EXPECT_EQ(list.versions[0].origin, VersionOrigin::kGuard);
  EXPECT_GT(list.versions[0].number, 3u);
  EXPECT_GT(list.versions[0].event_count, 3 * kWindow);
  EXPECT_EQ(list.restored_count, 0);
  EXPECT_LT(list.live.error, list.recency_error);
}

// Weights that are worse than the guard's and than recency are given up after two windows; by the
// same stream a model without the guard stays with them.
TEST(WeftVersions, TheGuardGoesBackFromWeightsThatDoBadly) {
  const std::int64_t window = EventsOfWindow();
  const EventBatch events = MakeEvents(8 * window);
  for (const bool guard : {true, false}) {
    WeftOptions options;
    options.adam.learning_rate = 1e-6f;  // so that it does not learn its way out
    options.guard = guard;
    const auto model = WarmModel(options);
    Stream(*model, events, 0, 2 * window, true);
    const auto cold = model->ImportVersion(ColdModelFile(7), "random");
    ASSERT_TRUE(cold.ok()) << cold.status();
    ASSERT_TRUE(model->PromoteVersion(*cold).ok());
    // Not after one window, which takes a little more or less than `window` events.
    Stream(*model, events, 2 * window, 3 * window + window / 4, true);
    EXPECT_EQ(model->restored_count(), 0);
    EXPECT_GT(model->Versions().live.error, model->Versions().recency_error);
    Stream(*model, events, 3 * window + window / 4, events.size(), true);
    EXPECT_EQ(model->restored_count(), guard ? 1 : 0);
    const ModelVersions list = model->Versions();
    if (guard) {
      EXPECT_LT(list.live.error, list.recency_error);
    } else {
      EXPECT_GT(list.live.error, list.recency_error);
    }
  }
}

TEST(WeftVersions, TheGuardDoesNotWaitForWeightsThatAreNoNumbers) {
  const EventBatch events = MakeEvents(1000);
  WeftOptions options;
  options.adam.learning_rate = 1.0f;  // enough to throw every weight off
  const auto model = WarmModel(options);
  MemoryCheckpoint sections = *DecodeModel("", *model->ExportVersion(0), "weft");
  std::string weights = sections.sections().find("weights")->second;
  const float nan = std::nanf("");
  std::copy_n(reinterpret_cast<const char*>(&nan), sizeof(nan), weights.end() - sizeof(nan));
  MemoryCheckpoint broken;
  for (const auto& [name, bytes] : sections.sections())
    ASSERT_TRUE(
        broken.Write(name, std::as_bytes(std::span(name == "weights" ? weights : bytes))).ok());
  Stream(*model, events, 0, kStep, true);
  const auto number = model->ImportVersion(EncodeModel("weft", broken), "broken");
  ASSERT_TRUE(number.ok()) << number.status();
  ASSERT_TRUE(model->PromoteVersion(*number).ok());
  Stream(*model, events, kStep, 2 * kStep, true);
  EXPECT_EQ(model->restored_count(), 1);
  const Scores after = Stream(*model, events, 2 * kStep, 3 * kStep, false);
  for (const PairScore& score : after.positive) EXPECT_TRUE(std::isfinite(score.joint));
}

TEST(WeftVersions, KeepsPromotesAndTakesBack) {
  WeftOptions options;
  options.max_versions = 2;
  const EventBatch events = MakeEvents(4 * kStep);
  const auto model = WarmModel(options);
  Stream(*model, events, 0, kStep, false);
  const std::string first = *model->ExportVersion(0);
  EXPECT_EQ(model->RollBack().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*model->KeepVersion("one"), 1u);
  const std::string cold = ColdModelFile(3);
  EXPECT_EQ(*model->ImportVersion(cold, "two"), 2u);
  const auto full = model->KeepVersion("three");
  EXPECT_EQ(full.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*model->ExportVersion(1), first);
  EXPECT_EQ(*model->ExportVersion(2), cold);
  const ModelVersions list = model->Versions();
  EXPECT_THAT(Numbers(list), ElementsAre(1, 2));
  EXPECT_EQ(Version(list, 1).note, "one");
  EXPECT_EQ(Version(list, 1).event_count, kStep);
  EXPECT_EQ(Version(list, 1).time_us, events.time_us[kStep - 1]);
  EXPECT_EQ(Version(list, 2).origin, VersionOrigin::kImported);
  EXPECT_NE(Version(list, 1).digest, Version(list, 2).digest);

  EXPECT_EQ(*model->PromoteVersion(2), 2u);
  EXPECT_EQ(*model->ExportVersion(0), cold);
  EXPECT_THAT(Numbers(model->Versions()), ElementsAre(1, 2, 3));  // what it replaced
  EXPECT_EQ(*model->RollBack(), 3u);
  EXPECT_EQ(*model->ExportVersion(0), first);
  EXPECT_EQ(*model->RollBack(), 4u);
  EXPECT_EQ(*model->ExportVersion(0), cold);

  EXPECT_THAT(std::string(model->PromoteVersion(9).status().message()),
              HasSubstr("one of 1, 2, 5, got 9"));
  EXPECT_EQ(model->DropVersion(5).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*model->DropVersion(1), 1u);
  EXPECT_EQ(*model->KeepVersion("three"), 6u);
}

TEST(WeftVersions, RefusesWhatIsNoModel) {
  const auto model = WarmModel();
  std::string damaged = ColdModelFile(3);
  damaged[100] ^= 1;
  EXPECT_EQ(model->ImportVersion(damaged, "").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(model->ImportVersion("", "").status().code(), absl::StatusCode::kDataLoss);
  MemoryCheckpoint nothing;
  EXPECT_EQ(model->ImportVersion(EncodeModel("weft", nothing), "").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(model->ImportVersion(EncodeModel("nat", nothing), "").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(model->Versions().versions.empty());
}

TEST(WeftVersions, GoesOnFromACheckpoint) {
  const std::int64_t window = EventsOfWindow();
  const EventBatch events = MakeEvents(3 * window);
  const auto saved = [](const WeftModel& model) {
    MemoryCheckpoint checkpoint;
    EXPECT_TRUE(model.SaveWeights(checkpoint).ok());
    EXPECT_TRUE(model.SaveState(checkpoint).ok());
    return checkpoint;
  };
  const auto model = WarmModel();
  const std::int64_t half = window + 10 * kStep;
  ASSERT_TRUE(model->KeepVersion("start").ok());
  Stream(*model, events, 0, half, true);
  ASSERT_TRUE(model->PromoteVersion(1).ok());
  Stream(*model, events, half, half + 5 * kStep, true);
  const MemoryCheckpoint middle = saved(*model);
  Stream(*model, events, half + 5 * kStep, events.size(), true);

  WeftModel other(WeftOptions{}, gpu::HostExec{});
  MemoryCheckpointReader reader(middle);
  ASSERT_TRUE(other.LoadWeights(reader).ok());
  ASSERT_TRUE(other.LoadState(reader).ok());
  Stream(other, events, half + 5 * kStep, events.size(), true);
  EXPECT_EQ(saved(other).sections(), saved(*model).sections());
  EXPECT_EQ(Numbers(other.Versions()), Numbers(model->Versions()));
  EXPECT_EQ(Version(other.Versions(), 1).note, "start");
}

}  // namespace
}  // namespace weft::operators::link
