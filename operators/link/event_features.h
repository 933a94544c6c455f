// EventFeatures: the features of the latest events, by the events' place in the stream. Bounded: an
// event's features are forgotten `capacity` events later.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "gpu/buffer.h"
#include "graph/event_batch.h"
#include "graph/state.h"

namespace weft::operators::link {

// sign(x) log(1 + |x|) / 4, so that no unit matters.
float ScaledFeature(float x);

// Thread-compatible. Memory: 4 bytes a feature for each of `capacity` events.
class EventFeatures {
 public:
  // `feature_count` values of each event; more are left out, missing ones are 0. `capacity` is a
  // power of two.
  EventFeatures(std::int32_t feature_count, std::int64_t capacity, gpu::Memory memory);

  void Clear();

  // Event `index` of `events`, whose ordinal is the last one's plus 1, modulo 2^32. Values are
  // stored as ScaledFeature has them.
  void Append(graph::EventSpan events, std::int64_t index, std::uint32_t ordinal);

  // The row of an event's features, when `next` is the ordinal of the next event; row 0, which
  // holds zeros, if they are forgotten.
  std::uint32_t RowOf(std::uint32_t ordinal, std::uint32_t next) const {
    return next - ordinal > mask_ + 1 ? 0 : 1 + (ordinal & mask_);
  }

  std::int32_t feature_count() const { return feature_count_; }
  std::int64_t row_count() const { return feature_count_ == 0 ? 0 : std::int64_t{mask_} + 2; }
  // feature_count floats a row.
  const float* rows() const { return rows_.data(); }

  // `event_count`: events appended since Clear.
  absl::Status Save(std::int64_t event_count, graph::CheckpointSink& sink) const;
  absl::Status Load(std::int64_t event_count, graph::CheckpointSource& source);

 private:
  // How many floats from row 1 on hold features.
  std::size_t UsedFloats(std::int64_t event_count) const;

  std::int32_t feature_count_;
  std::uint32_t mask_;  // capacity - 1
  gpu::Buffer<float> rows_;
};

}  // namespace weft::operators::link
