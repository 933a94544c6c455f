#include "operators/sequence/sdr_classifier.h"

#include <gtest/gtest.h>

#include "cache/test_archive.h"

namespace weft::operators::sequence {
namespace {

TEST(SdrClassifier, LearnsWhatComesSomeStepsLater) {
  SdrClassifierOptions options{.bits = 500, .classes = 5, .steps = {1, 3}, .rate = 0.05};
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

}  // namespace
}  // namespace weft::operators::sequence
