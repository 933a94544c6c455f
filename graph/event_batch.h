// EventBatch: the payload of nearly every packet and the data of nearly every log record, N events
// in columns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/time.h"

namespace weft::graph {

// A node of the temporal graph, numbered from 0 without holes in order of first appearance
// (storage's dictionary maps a user's key to it). kNoNode stands for "none".
using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffffu;

// Columns of equal length, in log order. Times need not rise inside a batch (lateness is the
// sequencer's verdict, taken before the batch was written). `label` is empty or one value an event;
// `feature` holds feature_count values an event, row by row. Values are finite, or NaN
// where they are missing and the feed takes such.
struct EventBatch {
  std::vector<NodeId> source;
  std::vector<NodeId> target;
  std::vector<TimeUs> time_us;
  std::vector<float> label;
  std::vector<float> feature;
  std::int32_t feature_count = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(source.size()); }
  void Clear();
  void Reserve(std::int64_t events);
  bool operator==(const EventBatch&) const = default;
};

// A borrowed range of events of a batch; valid as long as the batch is. Passed by value, never
// kept.
struct EventSpan {
  std::span<const NodeId> source;
  std::span<const NodeId> target;
  std::span<const TimeUs> time_us;
  std::span<const float> label;    // empty, or one an event
  std::span<const float> feature;  // feature_count an event
  std::int32_t feature_count = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(source.size()); }
  // Events [begin, end) of `batch`; 0 <= begin <= end <= batch.size().
  static EventSpan Of(const EventBatch& batch, std::int64_t begin, std::int64_t end);
  static EventSpan Of(const EventBatch& batch) { return Of(batch, 0, batch.size()); }
};

}  // namespace weft::graph
