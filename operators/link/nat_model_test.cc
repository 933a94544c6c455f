// NAT: its derivatives by finite differences, its determinism, its saving, and that it learns.
#include "operators/link/nat_model.h"

#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include "gpu/host_device.h"

namespace weft::operators::link {
namespace {

using graph::EventBatch;
using graph::EventSpan;
using graph::NodeId;

// Each source has favourite targets that it repeats; some noise. Three features: whether it is
// noise, and two that say nothing.
EventBatch MakeEvents(std::int64_t count) {
  std::mt19937_64 random(5);
  EventBatch batch;
  batch.feature_count = 3;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto source = static_cast<NodeId>(random() % 40);
    const bool noise = random() % 10 == 0;
    const auto target =
        static_cast<NodeId>(40 + (noise ? random() % 60 : (source * 3 + random() % 2) % 60));
    batch.source.push_back(source);
    batch.target.push_back(target);
    batch.time_us.push_back(i * 1'000'000 + static_cast<std::int64_t>(random() % 1'000'000));
    for (const float feature : {noise ? 100.0f : -1.0f, static_cast<float>(i % 7), -5.0f})
      batch.feature.push_back(feature);
  }
  return batch;
}

// A ring of 128 events, so that the older ones' features are forgotten.
NatOptions WithFeatures() {
  NatOptions options;
  options.dimensions.feature_count = 3;
  options.feature_events = 128;
  return options;
}

std::vector<NodeId> Negatives(std::int64_t begin, std::int64_t end) {
  std::vector<NodeId> negative;
  for (std::int64_t i = begin; i < end; ++i)
    negative.push_back(static_cast<NodeId>(40 + gpu::Mix64(static_cast<std::uint64_t>(i)) % 60));
  return negative;
}

struct Scores {
  std::vector<float> positive, negative;
  bool operator==(const Scores&) const = default;
};

// Streams events [begin, end) through the model.
Scores Stream(NatModel& model, const EventBatch& events, std::int64_t begin, std::int64_t end,
              bool learn) {
  constexpr std::int64_t kBatch = 32;
  Scores all;
  for (std::int64_t at = begin; at < end; at += kBatch) {
    const std::int64_t stop = std::min(end, at + kBatch);
    const EventSpan span = EventSpan::Of(events, at, stop);
    const std::vector<NodeId> negative = Negatives(at, stop);
    std::vector<float> positive_score(negative.size()), negative_score(negative.size());
    model.Score(span, negative, positive_score, negative_score);
    if (learn) model.Learn(span, negative);
    model.Observe(span);
    all.positive.insert(all.positive.end(), positive_score.begin(), positive_score.end());
    all.negative.insert(all.negative.end(), negative_score.begin(), negative_score.end());
  }
  return all;
}

double LossOf(const Scores& scores) {
  double loss = 0;
  for (const float p : scores.positive)
    loss -= std::log(static_cast<double>(p)) / static_cast<double>(scores.positive.size());
  for (const float p : scores.negative)
    loss -= std::log1p(-static_cast<double>(p)) / static_cast<double>(scores.negative.size());
  return loss;
}

TEST(NatModel, DerivativesAgreeWithFiniteDifferences) {
  const EventBatch events = MakeEvents(672);
  NatOptions options = WithFeatures();
  options.adam.learning_rate = 3e-3f;
  NatModel model(options, gpu::HostExec{});
  Stream(model, events, 0, 640, true);

  const EventSpan span = EventSpan::Of(events, 640, 672);
  const std::vector<NodeId> negative = Negatives(640, 672);
  Scores scores{std::vector<float>(32), std::vector<float>(32)};
  const auto loss = [&] {
    model.Score(span, negative, scores.positive, scores.negative);
    return LossOf(scores);
  };
  loss();
  std::vector<float> weights(model.weights().begin(), model.weights().end());
  model.Learn(span, negative);
  const std::vector<float> gradient(model.gradient().begin(), model.gradient().end());

  const NatWeights& l = model.layout();
  const std::map<std::string, NatPart> parts = {{"self_input", l.self_input},
                                                {"self_gate_input", l.self_gate_input},
                                                {"self_gate_input_bias", l.self_gate_input_bias},
                                                {"self_gate_state", l.self_gate_state},
                                                {"self_gate_state_bias", l.self_gate_state_bias},
                                                {"slot_key", l.slot_key},
                                                {"slot_feature", l.slot_feature},
                                                {"slot_event", l.slot_event},
                                                {"slot_gate_input", l.slot_gate_input},
                                                {"slot_gate_input_bias", l.slot_gate_input_bias},
                                                {"slot_gate_state", l.slot_gate_state},
                                                {"slot_gate_state_bias", l.slot_gate_state_bias},
                                                {"mask_embedding", l.mask_embedding},
                                                {"joint_hidden", l.joint_hidden},
                                                {"source_hidden", l.source_hidden},
                                                {"target_hidden", l.target_hidden},
                                                {"hidden_bias", l.hidden_bias},
                                                {"output", l.output},
                                                {"output_bias", l.output_bias}};
  for (const auto& [name, part] : parts) {
    // Along the gradient itself the derivative is the gradient's squared length: any wrong entry
    // shows.
    double squared = 0;
    for (std::int64_t i = part.offset; i < part.offset + part.size(); ++i)
      squared += static_cast<double>(gradient[static_cast<std::size_t>(i)]) *
                 gradient[static_cast<std::size_t>(i)];
    ASSERT_GT(squared, 0) << name;
    const double step = 2e-3 / std::sqrt(squared);
    double side[2];
    for (const int sign : {0, 1}) {
      std::copy(weights.begin(), weights.end(), model.weights().begin());
      for (std::int64_t i = part.offset; i < part.offset + part.size(); ++i)
        model.weights()[static_cast<std::size_t>(i)] +=
            static_cast<float>((sign == 1 ? step : -step) * gradient[static_cast<std::size_t>(i)]);
      side[sign] = loss();
    }
    EXPECT_NEAR((side[1] - side[0]) / (2 * step), squared,
                0.03 * squared + 2e-4 * std::sqrt(squared))
        << name;
  }
}

std::vector<std::byte> Bytes(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

TEST(NatModelThreads, LearnsTheSameBitsOnAnyNumberOfThreadsAndAnyVectors) {
  const EventBatch events = MakeEvents(640);
  std::vector<std::byte> expected;
  Scores expected_scores;
  for (const int threads : {1, 2, 8}) {
    tbb::global_control allow(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    tbb::task_arena arena(threads);
    arena.execute([&] {
      // Two threads make do with AVX2, the others take the widest vectors that there are.
      NatModel model(NatOptions{}, gpu::HostExec{.grain = threads == 1 ? 1 << 20 : 4,
                                                 .vectors = threads == 2 ? gpu::HostVectors::kAvx2
                                                                         : gpu::WidestVectors()});
      const Scores scores = Stream(model, events, 0, events.size(), true);
      if (threads == 1) {
        expected = Bytes(model.weights());
        expected_scores = scores;
      }
      EXPECT_TRUE(Bytes(model.weights()) == expected) << threads;
      EXPECT_TRUE(scores == expected_scores) << threads;
    });
  }
}

// A checkpoint in memory.
class MemoryCheckpoint final : public graph::CheckpointSink, public graph::CheckpointSource {
 public:
  absl::Status Write(std::string_view section, std::span<const std::byte> bytes) override {
    auto& to = sections_[std::string(section)];
    to.insert(to.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  }
  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override {
    const auto& from = sections_[std::string(section)];
    std::size_t& at = read_[std::string(section)];
    if (from.size() - at < bytes.size()) return absl::DataLossError("too short");
    std::memcpy(bytes.data(), from.data() + at, bytes.size());
    at += bytes.size();
    return absl::OkStatus();
  }
  std::uint64_t Remaining(std::string_view section) const override {
    const auto from = sections_.find(std::string(section));
    const auto at = read_.find(std::string(section));
    return from == sections_.end() ? 0 : from->second.size() - (at == read_.end() ? 0 : at->second);
  }

 private:
  std::map<std::string, std::vector<std::byte>> sections_;
  std::map<std::string, std::size_t> read_;
};

TEST(NatModel, GoesOnFromASavedStateAsIfNothingHadHappened) {
  const EventBatch events = MakeEvents(640);
  NatModel whole(WithFeatures(), gpu::HostExec{});
  Stream(whole, events, 0, 320, true);
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(whole.SaveWeights(checkpoint).ok());
  ASSERT_TRUE(whole.SaveState(checkpoint).ok());
  const Scores expected = Stream(whole, events, 320, 640, true);

  NatOptions options = WithFeatures();
  options.seed = 99;  // other initial weights, all of them replaced
  NatModel restored(options, gpu::HostExec{});
  Stream(restored, events, 0, 100, true);
  ASSERT_TRUE(restored.LoadWeights(checkpoint).ok());
  ASSERT_TRUE(restored.LoadState(checkpoint).ok());
  EXPECT_TRUE(Stream(restored, events, 320, 640, true) == expected);
  EXPECT_TRUE(Bytes(restored.weights()) == Bytes(whole.weights()));
}

TEST(NatModel, ReadsBetweenMicroBatchesChangeNothing) {
  const EventBatch events = MakeEvents(320);
  NatModel quiet(WithFeatures(), gpu::HostExec{}), asked(WithFeatures(), gpu::HostExec{});
  for (std::int64_t at = 0; at < 320; at += 32) {
    const Scores expected = Stream(quiet, events, at, at + 32, true);
    const std::vector<NodeId> source(100, 3), target = Negatives(0, 100);
    std::vector<PairScore> score(100);
    asked.ScorePairs(source, target, events.time_us[static_cast<std::size_t>(at)], score);
    EXPECT_TRUE(Stream(asked, events, at, at + 32, true) == expected);
  }
}

TEST(NatModel, ScoresPairsAsItScoresEventsAndKnowsNewNodes) {
  const EventBatch events = MakeEvents(352);
  NatModel model(NatOptions{}, gpu::HostExec{});
  Stream(model, events, 0, 320, true);
  const EventSpan span = EventSpan::Of(events, 320, 352);
  std::vector<PairScore> asked(32);
  std::vector<float> scored(32);
  model.ScorePairs(span.source, span.target, span.time_us[0], asked);
  model.Score(span, {}, scored, {});
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(asked[i], PairScore::Of(scored[i]));

  const std::vector<NodeId> unknown_source = {4'000'000, graph::kNoNode, 3};
  const std::vector<NodeId> unknown_target = {40, 5'000'000, graph::kNoNode};
  std::vector<PairScore> score(3);
  model.ScorePairs(unknown_source, unknown_target, span.time_us[0], score);
  for (const PairScore& p : score) EXPECT_TRUE(p.random > 0.0f && p.random < 1.0f) << p.random;
}

TEST(NatModel, FeaturesThatAreNotThereCountAsZero) {
  EventBatch some = MakeEvents(320), all = some;
  some.feature_count = 1;
  some.feature.clear();
  for (std::size_t i = 0; i < all.source.size(); ++i) {
    some.feature.push_back(all.feature[3 * i]);
    all.feature[3 * i + 1] = all.feature[3 * i + 2] = 0.0f;
  }
  NatModel first(WithFeatures(), gpu::HostExec{}), second(WithFeatures(), gpu::HostExec{});
  EXPECT_TRUE(Stream(first, some, 0, 320, true) == Stream(second, all, 0, 320, true));
}

TEST(NatModel, FeaturesMatter) {
  EventBatch events = MakeEvents(320), others = events;
  others.feature[3 * 200] += 1.0f;
  NatModel first(WithFeatures(), gpu::HostExec{}), second(WithFeatures(), gpu::HostExec{});
  EXPECT_TRUE(Stream(first, events, 0, 192, true) == Stream(second, others, 0, 192, true));
  Stream(first, events, 192, 224, true);
  Stream(second, others, 192, 224, true);
  EXPECT_FALSE(Stream(first, events, 224, 320, true) == Stream(second, others, 224, 320, true));
}

TEST(NatModel, LearnsWhoRepeats) {
  const EventBatch events = MakeEvents(6400);
  NatModel model(NatOptions{}, gpu::HostExec{});
  Stream(model, events, 0, 4800, true);
  const Scores scores = Stream(model, events, 4800, 6400, false);
  // One event in ten is noise, one negative in thirty a favourite: the median tells.
  double better = 0;
  for (std::size_t i = 0; i < scores.positive.size(); ++i)
    better += scores.positive[i] > scores.negative[i] ? 1 : 0;
  EXPECT_GT(better / static_cast<double>(scores.positive.size()), 0.85);
}

}  // namespace
}  // namespace weft::operators::link
