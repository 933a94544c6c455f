#include "operators/sequence/sparsey_network.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {
namespace {

// 16 macrocolumns over a picture of 12 x 12, and one above them all.
SparseyNetworkOptions TwoLevels() {
  SparseyRegionOptions low{
      .grid = {.width = 12, .height = 12, .window_width = 6, .window_height = 6, .step = 2},
      .mac = {.modules = 12, .cells = 8, .sigmoid = SparseySigmoid::kSteep}};
  SparseyRegionOptions high{
      .grid = {.width = 4, .height = 4, .window_width = 4, .window_height = 4},
      .unit_bits = 12 * 8,
      .mac = {.modules = 20, .cells = 10, .sigmoid = SparseySigmoid::kSteep, .seed = 50}};
  return {.levels = {low, high}};
}

std::vector<SparseBits> Pictures(std::uint64_t seed, std::uint64_t count) {
  std::vector<SparseBits> pictures;
  for (std::uint64_t i = 0; i < count; ++i) pictures.push_back(RandomBits(144, 30, seed + i));
  return pictures;
}

TEST(SparseyRegion, IsMacrocolumnsThatEachSeeTheirWindow) {
  const SparseyRegionOptions options = TwoLevels().levels.front();
  SparseyRegion region(options, nullptr);
  std::vector<SparseyMac> macs;
  for (std::uint64_t m = 0; m < 16; ++m) {
    SparseyOptions one = options.mac;
    one.inputs = 36;
    one.seed += 97 * m;
    macs.emplace_back(one);
  }
  for (const SparseBits& picture : Pictures(1, 40)) {
    region.Frame(picture.bits, {}, true, false);
    std::vector<std::uint32_t> expected;
    for (std::uint32_t m = 0; m < 16; ++m) {
      std::vector<std::uint32_t> seen;
      for (std::uint32_t y = 0; y < 6; ++y)
        for (std::uint32_t x = 0; x < 6; ++x)
          if (std::ranges::binary_search(picture.bits, (m / 4 * 2 + y) * 12 + m % 4 * 2 + x))
            seen.push_back(y * 6 + x);
      if (seen.empty()) continue;
      const SparseyCode code = macs[m].Frame(seen, true);
      for (std::uint32_t q = 0; q < 12; ++q) expected.push_back((m * 12 + q) * 8 + code.winner[q]);
    }
    ASSERT_TRUE(std::ranges::equal(region.bits(), expected));
  }
}

TEST(SparseyRegion, HasNoCodeWhereAWindowIsEmpty) {
  SparseyRegion region(TwoLevels().levels.front(), nullptr);
  region.Frame(std::vector<std::uint32_t>{0}, {}, true, true);
  EXPECT_EQ(region.active_count(), 1);
  EXPECT_EQ(region.bits().size(), 12u);
  region.Frame({}, {}, true, true);
  EXPECT_EQ(region.active_count(), 0);
}

TEST(SparseyNetwork, LevelsAboveKeepTheirCodesForLonger) {
  SparseyNetworkOptions options = TwoLevels();
  options.levels.back().persistence = 3;
  SparseyNetwork network(options);
  std::vector<std::vector<std::uint32_t>> above;
  for (const SparseBits& picture : Pictures(1, 6)) {
    network.Frame(picture.bits, true, above.empty());
    const auto bits = network.levels().back().bits();
    above.emplace_back(bits.begin(), bits.end());
  }
  EXPECT_EQ(above[0], above[2]);
  EXPECT_NE(above[2], above[3]);
  EXPECT_EQ(above[3], above[5]);
}

// Without a past of its own, a level knows the order of frames by what the level above saw before.
TEST(SparseyNetwork, KnowsTheOrderOfFramesIfItHearsWhatIsAbove) {
  for (const bool hears_above : {true, false}) {
    SparseyNetworkOptions options = TwoLevels();
    options.hears_above = hears_above;
    SparseyNetwork network(options);
    const std::vector<SparseBits> frames = Pictures(20, 6);
    const auto familiarity = [&](bool learns, bool reverses) {
      double sum = 0.0;
      for (std::size_t i = 0; i < frames.size(); ++i) {
        network.Frame(frames[reverses ? frames.size() - 1 - i : i].bits, learns, i == 0);
        const SparseyRegion& lowest = network.levels().front();
        sum += lowest.familiarity_sum() / static_cast<double>(lowest.active_count());
      }
      return sum / static_cast<double>(frames.size());
    };
    familiarity(true, false);
    EXPECT_NEAR(familiarity(false, false), 1.0, 1e-6);
    if (hears_above) {
      EXPECT_LT(familiarity(false, true), 0.6);
    } else {
      EXPECT_NEAR(familiarity(false, true), 1.0, 1e-6);
    }
  }
}

TEST(SparseyNetwork, GoesOnAfterSaveAndLoad) {
  SparseyNetworkOptions options = TwoLevels();
  options.hears_above = true;
  options.levels.back().persistence = 2;
  for (SparseyRegionOptions& level : options.levels) level.mac.has_past = true;
  SparseyNetwork network(options), restored(options);
  for (const SparseBits& picture : Pictures(1, 31)) network.Frame(picture.bits, true);
  cache::SaveAndLoad(network, restored);
  for (const SparseBits& picture : Pictures(15, 30)) {
    network.Frame(picture.bits, true);
    restored.Frame(picture.bits, true);
    ASSERT_TRUE(std::ranges::equal(network.bits(), restored.bits()));
    ASSERT_EQ(network.familiarity(), restored.familiarity());
  }
}

}  // namespace
}  // namespace weft::operators::sequence
