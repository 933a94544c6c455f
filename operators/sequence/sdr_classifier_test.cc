#include "operators/sequence/sdr_classifier.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cache/test_archive.h"

namespace weft::operators::sequence {
namespace {

TEST(SdrClassifier, LearnsWhatComesSomeStepsLater) {
  SdrClassifierOptions options{.bits = 500, .classes = 5, .steps = {1, 3}};
  SdrClassifier classifier(options), restored(options);
  std::vector<std::vector<std::uint32_t>> codes;
  for (std::uint64_t i = 0; i < 5; ++i) codes.push_back(RandomBits(500, 20, i).bits);
  // 0, 1, 2, 3, 4, 0, ...
  for (int i = 0; i < 400; ++i) classifier.Learn(codes[static_cast<std::size_t>(i % 5)], i % 5);
  for (std::size_t now = 0; now < 5; ++now) {
    EXPECT_GT(classifier.Probabilities(0, codes[now])[(now + 1) % 5], 0.9);
    EXPECT_GT(classifier.Probabilities(1, codes[now])[(now + 3) % 5], 0.9);
  }
  cache::SaveAndLoad(classifier, restored);
  for (int i = 0; i < 20; ++i) {
    classifier.Learn(codes[static_cast<std::size_t>(i % 3)], i % 4);
    restored.Learn(codes[static_cast<std::size_t>(i % 3)], i % 4);
  }
  EXPECT_EQ(classifier.Probabilities(1, codes[2]), restored.Probabilities(1, codes[2]));
}

// A burst has many times the bits of a record that was foretold.
TEST(SdrClassifier, MovesByAsMuchForACodeOfManyBits) {
  for (const std::int64_t bits : {10, 400}) {
    SdrClassifier classifier({.bits = 500, .classes = 2});
    const auto code = RandomBits(500, bits, 1).bits;
    classifier.Learn(code, 0);
    classifier.Learn(code, 1);
    // An error of .5 by a rate of 1.4 moves both sums, which are 1.4 apart.
    EXPECT_NEAR(classifier.Probabilities(0, code)[1], 1.0 / (1.0 + std::exp(-1.4)), 1e-5) << bits;
  }
}

}  // namespace
}  // namespace weft::operators::sequence
