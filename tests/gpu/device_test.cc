// Host against device: the same bytes for everything that is exact, and a table of times. Every
// test is skipped, with the reason, where there is no device. `device_test --require-device` exits
// with 77 instead.
#include "gpu/device.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "cache/dense_index.h"
#include "cache/episode_ring.h"
#include "cache/episode_sums.h"
#include "cache/leaf_boundaries.h"
#include "cache/mix_affinity.h"
#include "cache/neighbor_cache.h"
#include "cache/test_snapshots.h"
#include "gpu/buffer.h"
#include "gpu/gemm.h"
#include "gpu/primitives.h"
#include "operators/link/nat_model.h"
#include "operators/link/weft_model.h"
#include "tests/gpu/elementary_arrays.h"

namespace weft {
namespace {

constexpr int kNoDeviceExitCode = 77;

struct Measured {
  std::string kernel;
  double host_us;
  double device_us;
  bool same_bytes;
};
std::vector<Measured> measured;

double MedianMicroseconds(const gpu::Exec& exec, const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    gpu::Synchronize(exec);
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string error;
    const std::optional<gpu::Exec> exec = gpu::OpenExec("cuda:0", error);
    if (!exec) GTEST_SKIP() << error;
    device_ = *exec;
  }

  // Runs `compute` on both machines and compares what it leaves in the buffer.
  template <class T>
  void ExpectSameBytes(const std::string& kernel, std::int64_t size,
                       const std::function<void(const gpu::Exec&, T*)>& compute) {
    gpu::Buffer<T> on_host(size), on_device(size, gpu::MemoryOf(device_));
    const double host_us = MedianMicroseconds(host_, [&] { compute(host_, on_host.data()); });
    const double device_us =
        MedianMicroseconds(device_, [&] { compute(device_, on_device.data()); });
    const bool same = std::memcmp(on_host.data(), on_device.data(), on_host.size_bytes()) == 0;
    measured.push_back({kernel, host_us, device_us, same});
    EXPECT_TRUE(same) << kernel;
  }

  template <class T>
  gpu::Buffer<T> OnDevice(const std::vector<T>& values) {
    gpu::Buffer<T> buffer(static_cast<std::int64_t>(values.size()), gpu::MemoryOf(device_));
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
  }

  const gpu::Exec host_ = gpu::HostExec{};
  gpu::Exec device_;
};

std::vector<float> RandomFloats(std::int64_t count, float scale) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

TEST_F(DeviceTest, ElementaryFunctions) {
  constexpr std::int64_t kCount = 1 << 20;
  const gpu::Buffer<float> x = OnDevice(RandomFloats(kCount, 10.0f));
  ExpectSameBytes<float>(
      "exp, log, log1p, tanh, sigmoid of 2^20", gpu::kElementaryFunctionCount * kCount,
      [&](const gpu::Exec& exec, float* to) {
        std::visit([&](const auto& e) { gpu::ElementaryArraysOn(e, kCount, x.data(), to); }, exec);
      });
}

TEST_F(DeviceTest, Gemm) {
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{96, 216, 72},
                                {4096, 216, 72},
                                {72, 216, 4096},
                                {100000, 64, 64}}) {
    const gpu::Buffer<float> a = OnDevice(RandomFloats(m * k, 1.0f)),
                             b = OnDevice(RandomFloats(k * n, 1.0f));
    ExpectSameBytes<float>(
        "gemm " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k), m * n,
        [&, m = m, n = n, k = k](const gpu::Exec& exec, float* c) {
          gpu::Gemm(exec, {.m = m,
                           .n = n,
                           .k = k,
                           .a = a.data(),
                           .a_row_stride = k,
                           .b = b.data(),
                           .b_row_stride = n,
                           .c = c,
                           .c_row_stride = n});
        });
  }
}

TEST_F(DeviceTest, Primitives) {
  constexpr std::int64_t kCount = 1 << 20;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> keys(kCount);
  for (std::uint64_t& key : keys) key = random() % 5000;
  ExpectSameBytes<std::uint64_t>(
      "sort of 2^20 pairs, runs", 2 * kCount, [&](const gpu::Exec& exec, std::uint64_t* to) {
        gpu::PrimitivesScratch scratch(exec);
        gpu::Buffer<std::uint32_t> value(kCount, gpu::MemoryOf(exec));
        gpu::Buffer<std::int32_t> begin(kCount + 1, gpu::MemoryOf(exec));
        for (std::int64_t i = 0; i < kCount; ++i) value[i] = static_cast<std::uint32_t>(i);
        std::copy(keys.begin(), keys.end(), to);
        gpu::SortByKey(exec, kCount, to, value.data(), scratch);
        const std::int64_t runs = gpu::Runs(exec, kCount, to, begin.data(), scratch);
        for (std::int64_t i = 0; i < kCount; ++i)
          to[kCount + i] = value[i] + (i <= runs ? std::uint64_t{1} << 32 : 0) *
                                          static_cast<std::uint64_t>(begin[i]);
      });
}

graph::EventBatch MakeEvents(std::int64_t count, std::uint32_t nodes) {
  std::mt19937_64 random(5);
  graph::EventBatch batch;
  batch.feature_count = 3;
  for (std::int64_t i = 0; i < count; ++i) {
    batch.source.push_back(static_cast<graph::NodeId>(random() % nodes));
    batch.target.push_back(
        static_cast<graph::NodeId>((batch.source.back() * 7 + random() % 5) % nodes));
    batch.time_us.push_back(i * 1000);
    for (int k = 0; k < batch.feature_count; ++k)
      batch.feature.push_back(static_cast<float>(random() % 100) - 50.0f);
  }
  return batch;
}

// The mixes of pairs of ten thousand leaves against that of one.
TEST_F(DeviceTest, MixAffinityIsTheSame) {
  const cache::Snapshots snapshots = cache::ChangingSnapshots(1, 20'000);
  const auto affinities = [&](const gpu::Exec& exec, float* affinity) {
    cache::EpisodeRing ring({.most_episodes = 1 << 14}, gpu::MemoryOf(exec));
    cache::EpisodeSums sums, wanted;
    std::vector<std::uint32_t> words;
    for (std::size_t i = 0; i < 10'000; ++i) {
      cache::Episode episode;
      episode.begin = static_cast<std::int64_t>(2 * i);
      sums.Clear();
      sums.Add(snapshots[2 * i]);
      sums.Add(snapshots[2 * i + 1]);
      sums.Summarise(episode);
      words.clear();
      cache::AppendPairs(sums.pair_count(), words);
      ring.Append(episode, words, 0);
      if (i % 1000 == 0) wanted.Add(snapshots[2 * i]);
    }
    cache::MixAffinity(wanted.pair_count(), exec).Of(ring, 0, {affinity, 10'000});
  };
  ExpectSameBytes<float>("affinity of 10000 episodes (with making them)", 10'000, affinities);
}

// The scores by which leaves end, of batches as episode_segmenter gets them.
TEST_F(DeviceTest, LeafScoresAreTheSame) {
  std::vector<cache::NodePair> pairs;
  std::vector<std::size_t> end;
  constexpr std::int64_t kSnapshots = 8192;
  for (const auto& snapshot : cache::ChangingSnapshots(2, kSnapshots)) {
    for (int repeat = 0; repeat < 40; ++repeat)
      pairs.insert(pairs.end(), snapshot.begin(), snapshot.end());
    end.push_back(pairs.size());
  }
  ExpectSameBytes<std::int64_t>(
      "leaf scores of 8,192 snapshots of 380 interactions", kSnapshots,
      [&](const gpu::Exec& exec, std::int64_t* score) {
        cache::LeafBoundaries leaf({}, exec);
        cache::LeafDecisions decided;
        const cache::SnapshotPairs all{pairs, 0, end};
        for (std::int64_t from = 0; from < kSnapshots; from += cache::LeafScores::kMostAtOnce)
          leaf.Push(all.Part(from, cache::LeafScores::kMostAtOnce), decided);
        std::ranges::copy(decided.latest_score, score);
      });
}

TEST_F(DeviceTest, NatLearnsTheSameWeightsAndScores) {
  const graph::EventBatch events = MakeEvents(3200, 500);
  operators::link::NatOptions options;
  options.dimensions.feature_count = events.feature_count;
  const operators::link::NatWeights layout{options.dimensions};
  ExpectSameBytes<float>("nat: 100 micro-batches of 32, scored, learned, observed",
                         layout.count + 6400, [&](const gpu::Exec& exec, float* to) {
                           operators::link::NatModel model(options, exec);
                           std::vector<graph::NodeId> negative(32);
                           for (std::int64_t at = 0; at < events.size(); at += 32) {
                             for (std::size_t i = 0; i < 32; ++i)
                               negative[i] = static_cast<graph::NodeId>(
                                   (static_cast<std::size_t>(at) * 31 + i * 17) % 500);
                             const auto span = graph::EventSpan::Of(events, at, at + 32);
                             float* scores = to + layout.count + 2 * at;
                             model.Score(span, negative, {scores, 32}, {scores + 32, 32});
                             model.Learn(span, negative);
                             model.Observe(span);
                           }
                           gpu::Synchronize(exec);
                           std::copy(model.weights().begin(), model.weights().end(), to);
                         });
}

TEST_F(DeviceTest, WeftLearnsAndRanksTheSame) {
  const graph::EventBatch events = MakeEvents(3200, 500);
  constexpr std::int64_t kStep = 64;
  constexpr std::int64_t kRead = 1000;
  operators::link::WeftOptions options;
  options.step_events = kStep;
  ExpectSameBytes<float>(
      "weft: 50 steps of 64, scored, observed, learned; a ranking of 1,000",
      2 * events.size() + kRead, [&](const gpu::Exec& exec, float* to) {
        operators::link::WeftModel model(options, exec);
        std::vector<graph::NodeId> negative(kStep);
        std::vector<operators::link::PairScore> positive_score(kStep), negative_score(kStep);
        float* score = to;
        for (std::int64_t at = 0; at < events.size(); at += kStep) {
          for (std::size_t i = 0; i < kStep; ++i)
            negative[i] =
                static_cast<graph::NodeId>((static_cast<std::size_t>(at) * 31 + i * 17) % 500);
          model.Advance({.events = graph::EventSpan::Of(events, at, at + kStep),
                         .negative = negative,
                         .extra_begin = {},
                         .extra = {},
                         .learn = true},
                        {.positive = positive_score, .negative = negative_score, .extra = {}});
          for (const auto& one : positive_score) *score++ = one.joint;
          for (const auto& one : negative_score) *score++ = one.probability;
        }
        std::vector<graph::NodeId> source(kRead, 7), target(kRead);
        for (std::size_t i = 0; i < target.size(); ++i)
          target[i] = static_cast<graph::NodeId>(i % 600);
        std::vector<operators::link::PairScore> ranked(kRead);
        model.ScorePairs(source, target, events.time_us.back() + 1000, ranked);
        for (const auto& one : ranked) *score++ = one.joint;
      });
}

TEST_F(DeviceTest, WeftRanksManyTargets) {
  constexpr std::uint32_t kNodes = 100000;
  constexpr std::int64_t kStep = 4096;
  const graph::EventBatch events = MakeEvents(16 * kStep, kNodes);
  operators::link::WeftOptions options;
  options.step_events = kStep;
  operators::link::WeftModel on_host(options, host_), on_device(options, device_);
  std::vector<operators::link::PairScore> observed(kStep);
  for (operators::link::WeftModel* model : {&on_host, &on_device})
    for (std::int64_t at = 0; at < events.size(); at += kStep)
      model->Advance({.events = graph::EventSpan::Of(events, at, at + kStep),
                      .negative = {},
                      .extra_begin = {},
                      .extra = {},
                      .learn = false},
                     {.positive = observed, .negative = {}, .extra = {}});
  for (const std::int64_t count : {1000, 10000, 100000}) {
    const std::vector<graph::NodeId> source(static_cast<std::size_t>(count), events.source.back());
    std::vector<graph::NodeId> target(source.size());
    std::iota(target.begin(), target.end(), graph::NodeId{0});
    std::vector<operators::link::PairScore> ranked(source.size());
    ExpectSameBytes<float>("weft: a ranking of " + std::to_string(count), count,
                           [&](const gpu::Exec& exec, float* to) {
                             const bool host = std::holds_alternative<gpu::HostExec>(exec);
                             (host ? on_host : on_device)
                                 .ScorePairs(source, target, events.time_us.back() + 1000, ranked);
                             for (const auto& one : ranked) *to++ = one.joint;
                           });
  }
}

void PrintTable() {
  if (measured.empty()) return;
  std::printf("\n%s\n%-62s %12s %12s  %s\n", gpu::DescribeDevice("cuda:0").c_str(), "kernel",
              "host us", "device us", "bytes");
  for (const Measured& row : measured)
    std::printf("%-62s %12.1f %12.1f  %s\n", row.kernel.c_str(), row.host_us, row.device_us,
                row.same_bytes ? "same" : "DIFFER");
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::string error;
  if (argc > 1 && std::string_view(argv[1]) == "--require-device" &&
      !weft::gpu::OpenExec("cuda:0", error)) {
    std::printf("no device: %s\n", error.c_str());
    return weft::kNoDeviceExitCode;
  }
  const int failed = RUN_ALL_TESTS();
  weft::PrintTable();
  return failed;
}
