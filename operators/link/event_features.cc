#include "operators/link/event_features.h"

#include <algorithm>

#include "gpu/elementary.h"
#include "graph/check.h"

namespace weft::operators::link {

float ScaledFeature(float x) {
  constexpr float kScale = 0.25f;
  const float magnitude = x < 0.0f ? -x : x;
  const float scaled = kScale * gpu::Log1p(magnitude);
  return x < 0.0f ? -scaled : scaled;
}

EventFeatures::EventFeatures(std::int32_t feature_count, std::int64_t capacity, gpu::Memory memory)
    : feature_count_(feature_count),
      mask_(static_cast<std::uint32_t>(capacity - 1)),
      rows_(0, memory) {
  WEFT_CHECK(capacity > 0 && (capacity & (capacity - 1)) == 0);
  rows_.Allocate(row_count() * feature_count);
}

void EventFeatures::Clear() { rows_.Clear(); }

void EventFeatures::Append(graph::EventSpan events, std::int64_t index, std::uint32_t ordinal) {
  const std::int64_t given = std::min(events.feature_count, feature_count_);
  const float* from = events.feature.data() + index * events.feature_count;
  float* to = rows_.data() + std::int64_t{1 + (ordinal & mask_)} * feature_count_;
  for (std::int64_t k = 0; k < given; ++k) to[k] = ScaledFeature(from[k]);
  std::fill(to + given, to + feature_count_, 0.0f);
}

std::size_t EventFeatures::UsedFloats(std::int64_t event_count) const {
  // Ordinals count from 1, so a ring that is not full yet leaves its first row out.
  const std::int64_t rows = std::min(event_count + 1, std::int64_t{mask_} + 1);
  return static_cast<std::size_t>(rows * feature_count_);
}

absl::Status EventFeatures::Save(std::int64_t event_count, graph::CheckpointSink& sink) const {
  if (feature_count_ == 0) return absl::OkStatus();
  const auto first = static_cast<std::size_t>(feature_count_);
  return sink.Write("features",
                    std::as_bytes(rows_.span().subspan(first, UsedFloats(event_count))));
}

absl::Status EventFeatures::Load(std::int64_t event_count, graph::CheckpointSource& source) {
  Clear();
  if (feature_count_ == 0) return absl::OkStatus();
  const auto first = static_cast<std::size_t>(feature_count_);
  return source.Read("features",
                     std::as_writable_bytes(rows_.span().subspan(first, UsedFloats(event_count))));
}

}  // namespace weft::operators::link
