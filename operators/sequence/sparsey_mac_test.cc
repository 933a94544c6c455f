#include "operators/sequence/sparsey_mac.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {
namespace {

SparseyOptions Mac(SparseySigmoid sigmoid, std::uint64_t seed) {
  return {.inputs = 144, .sigmoid = sigmoid, .seed = seed};
}

// `shared` of the twelve inputs of `one`, and others.
std::vector<std::uint32_t> Sharing(const SparseBits& one, std::int64_t shared, std::uint64_t seed) {
  return AddNoise(one, static_cast<double>(12 - shared) / 12.0, seed).bits;
}

// Share of equal winners when a second input that shares some of the first one's is coded.
std::array<double, 7> SameByShared(SparseySigmoid sigmoid) {
  std::array<double, 7> same = {};
  constexpr std::uint64_t kRepeats = 200;
  for (std::uint64_t repeat = 0; repeat < kRepeats; ++repeat)
    for (std::size_t i = 0; i < same.size(); ++i) {
      SparseyMac mac(Mac(sigmoid, repeat));
      const SparseBits first = RandomBits(144, 12, repeat + 1000);
      const SparseyCode stored = mac.Frame(first.bits, true);
      const SparseyCode second =
          mac.Frame(Sharing(first, 2 * static_cast<std::int64_t>(i), repeat), true);
      same[i] += SameWinners(stored, second) / static_cast<double>(kRepeats);
    }
  return same;
}

// Specification (a): like inputs get like codes.
TEST(SparseyMac, CodesOverlapAsInputsDo) {
  for (const SparseySigmoid sigmoid : {SparseySigmoid::kGraded, SparseySigmoid::kSteep}) {
    const auto same = SameByShared(sigmoid);
    EXPECT_NEAR(same.front(), 1.0 / 9.0, 0.03);
    for (std::size_t i = 1; i < same.size(); ++i) EXPECT_GT(same[i], same[i - 1] - 0.02) << i;
    if (sigmoid == SparseySigmoid::kSteep) {
      EXPECT_GT(same.back(), 0.95);
    } else {
      EXPECT_NEAR(same[3], 0.34, 0.05);
      EXPECT_NEAR(same.back(), 0.52, 0.05);
    }
  }
}

// Specification (b): what was stored once comes back, until there is too much of it.
TEST(SparseyMac, RecallsWhatItStoredOnce) {
  const auto recall = [](std::size_t count, std::int64_t shared) {
    double same = 0.0;
    for (std::uint64_t repeat = 0; repeat < 10; ++repeat) {
      SparseyMac mac(Mac(SparseySigmoid::kGraded, repeat));
      std::vector<SparseBits> inputs;
      std::vector<SparseyCode> codes;
      for (std::size_t i = 0; i < count; ++i) {
        inputs.push_back(RandomBits(144, 12, repeat * 10'000 + i));
        codes.push_back(mac.Frame(inputs.back().bits, true, true));
      }
      for (std::size_t i = 0; i < count; ++i)
        same += SameWinners(codes[i], mac.Frame(Sharing(inputs[i], shared, i), false, true)) /
                static_cast<double>(10 * count);
    }
    return same;
  };
  EXPECT_GT(recall(25, 12), 0.99);
  EXPECT_GT(recall(50, 12), 0.97);
  EXPECT_GT(recall(25, 10), 0.97);
  EXPECT_LT(recall(400, 12), 0.4);
}

// Specification (c): a frame costs as much however much is stored. Counted, not timed: the weights
// that a frame reads and writes follow from the inputs alone.
TEST(SparseyMac, IsTheSameSizeWhateverIsStored) {
  SparseyMac mac(Mac(SparseySigmoid::kGraded, 1));
  const std::size_t bytes = mac.bytes();
  double before = 0.0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    mac.Frame(RandomBits(144, 12, i).bits, true);
    EXPECT_GE(mac.density(), before);
    before = mac.density();
  }
  EXPECT_EQ(mac.bytes(), bytes);
  EXPECT_GT(mac.density(), 0.9);
}

TEST(SparseyMac, FrozenCellsKeepWhatTheyKnow) {
  SparseyOptions options = Mac(SparseySigmoid::kGraded, 1);
  options.saturation = 0.35;
  SparseyMac mac(options);
  for (std::uint64_t i = 0; i < 400; ++i) mac.Frame(RandomBits(144, 12, i).bits, true);
  EXPECT_EQ(mac.frozen_count(), mac.cell_count());
  EXPECT_LT(mac.density(), 0.45);
}

// Specification (e): the order of familiar frames matters where the past is heard.
TEST(SparseyMac, KnowsTheOrderOfFramesIfItHearsThePast) {
  for (const bool has_past : {true, false}) {
    SparseyOptions options = Mac(SparseySigmoid::kSteep, 3);
    options.has_past = has_past;
    SparseyMac mac(options);
    std::vector<SparseBits> frames;
    for (std::uint64_t i = 0; i < 6; ++i) frames.push_back(RandomBits(144, 12, i));
    for (std::size_t i = 0; i < frames.size(); ++i) mac.Frame(frames[i].bits, true, i == 0);
    double in_order = 0.0, reversed = 0.0;
    for (std::size_t i = 0; i < frames.size(); ++i)
      in_order += mac.Frame(frames[i].bits, false, i == 0).familiarity / 6.0;
    for (std::size_t i = 0; i < frames.size(); ++i)
      reversed += mac.Frame(frames[frames.size() - 1 - i].bits, false, i == 0).familiarity / 6.0;
    EXPECT_NEAR(in_order, 1.0, 1e-6);
    if (has_past) {
      EXPECT_LT(reversed, 0.5);
    } else {
      EXPECT_NEAR(reversed, 1.0, 1e-6);
    }
  }
}

TEST(SparseyMac, GoesOnAfterSaveAndLoad) {
  SparseyOptions options = Mac(SparseySigmoid::kGraded, 5);
  options.has_past = true;
  SparseyMac mac(options), restored(options);
  for (std::uint64_t i = 0; i < 50; ++i) mac.Frame(RandomBits(144, 12, i).bits, true);
  cache::SaveAndLoad(mac, restored);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const SparseBits input = RandomBits(144, 12, i + 20);
    EXPECT_EQ(mac.Frame(input.bits, true).winner, restored.Frame(input.bits, true).winner);
  }
}

}  // namespace
}  // namespace weft::operators::sequence
