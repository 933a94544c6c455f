// The arrays of one WeftModel step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gpu/buffer.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {

// Pairs of a read that are worked on together.
inline constexpr std::int64_t kReadPairs = 1024;

struct WeftModel::Workspace {
  Workspace(std::int64_t step_events, gpu::Memory memory)
      : event(step_events, memory),
        own(step_events, memory),
        negative(step_events, memory),
        source_row(step_events, memory),
        row_count(step_events, memory),
        extra_begin(step_events + 1, memory),
        extra(0, memory),
        extra_features(0, memory),
        pair_features(2 * step_events * kWeftStride, memory),
        seen_features(step_events * kWeftStride, memory),
        historical_features(step_events * kWeftStride, memory),
        unknown_features(step_events * kWeftStride, memory),
        has_seen(step_events, memory),
        has_historical(step_events, memory),
        is_new(step_events, memory),
        source(1, memory),
        lesson_features(std::max(5 * step_events, kReadPairs) * kWeftStride, memory),
        read_source(0, memory),
        read_context(0, memory),
        read_pair_source(kReadPairs, memory),
        read_target(kReadPairs, memory),
        read_features(kReadPairs * kWeftStride, memory) {}

  // By event of the step.
  gpu::Buffer<cache::PartnerEvent> event;
  gpu::Buffer<WeftTarget> own, negative;
  gpu::Buffer<std::uint32_t> source_row, row_count;
  gpu::Buffer<std::int32_t> extra_begin;
  gpu::Buffer<WeftTarget> extra;
  gpu::Buffer<float> extra_features;
  gpu::Buffer<float> pair_features;  // of the events, then of their negatives
  gpu::Buffer<float> seen_features, historical_features, unknown_features;
  gpu::Buffer<std::uint8_t> has_seen, has_historical, is_new;
  gpu::Buffer<WeftSource> source;

  // What is learned from, packed.
  gpu::Buffer<float> lesson_features;
  std::vector<WeftLesson> lessons;
  std::int64_t events_since_memory = 0;

  std::vector<float> logits, extra_logits;
  std::vector<PairScore> scores;

  // Of reads.
  gpu::Buffer<WeftTarget> read_source;
  gpu::Buffer<WeftSource> read_context;
  gpu::Buffer<std::int32_t> read_pair_source;
  gpu::Buffer<WeftTarget> read_target;
  gpu::Buffer<float> read_features;
};

}  // namespace weft::operators::link
