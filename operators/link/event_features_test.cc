#include "operators/link/event_features.h"

#include <gtest/gtest.h>

#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

graph::EventBatch OneEvent(float feature) {
  graph::EventBatch batch;
  batch.source = {1};
  batch.target = {2};
  batch.time_us = {3};
  batch.feature = {feature, -feature};
  batch.feature_count = 2;
  return batch;
}

float FirstOf(const EventFeatures& features, std::uint32_t row) {
  return features.rows()[row * static_cast<std::uint32_t>(features.feature_count())];
}

// Appends the events of ordinals [begin, end), whose feature is their ordinal; across 2^32.
void Append(EventFeatures& features, std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t ordinal = begin; ordinal != end; ++ordinal) {
    const graph::EventBatch batch = OneEvent(static_cast<float>(ordinal % 1000) + 1.0f);
    features.Append(graph::EventSpan::Of(batch), 0, ordinal);
  }
}

TEST(EventFeatures, RemembersTheLatestEventsAcrossTheWrapOfOrdinals) {
  for (const std::uint32_t begin : {1u, 0xffff'fffau}) {
    EventFeatures features(2, 8, gpu::Memory::kHost);
    const std::uint32_t next = begin + 12;
    Append(features, begin, next);
    for (std::uint32_t back = 1; back <= 12; ++back) {
      const std::uint32_t row = features.RowOf(next - back, next);
      EXPECT_EQ(row == 0, back > 8) << begin << " " << back;
      EXPECT_EQ(FirstOf(features, row) > 0.0f, row != 0);
    }
  }
}

TEST(EventFeatures, SignsStayAndUnitsShrink) {
  EventFeatures features(2, 8, gpu::Memory::kHost);
  const graph::EventBatch batch = OneEvent(1e6f);
  features.Append(graph::EventSpan::Of(batch), 0, 1);
  const float* row = features.rows() + features.RowOf(1, 2) * 2;
  EXPECT_NEAR(row[0], 13.8155f / 4.0f, 1e-3f);
  EXPECT_EQ(row[1], -row[0]);
}

TEST(EventFeatures, ComesBackFromACheckpoint) {
  for (const std::uint32_t count : {0u, 3u, 8u, 20u}) {
    EventFeatures saved(2, 8, gpu::Memory::kHost), loaded(2, 8, gpu::Memory::kHost);
    Append(saved, 1, 1 + count);
    Append(loaded, 1, 30);
    MemoryCheckpoint checkpoint;
    ASSERT_TRUE(saved.Save(count, checkpoint).ok());
    MemoryCheckpointReader reader(checkpoint);
    ASSERT_TRUE(loaded.Load(count, reader).ok());
    for (std::int64_t i = 0; i < 2 * saved.row_count(); ++i)
      EXPECT_EQ(loaded.rows()[i], saved.rows()[i]) << count << " " << i;
  }
}

}  // namespace
}  // namespace weft::operators::link
