// What an event says in one of its features.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "graph/event_batch.h"

namespace weft::operators::sequence {

// Of events without features feature 0 is the label. NaN for one that the event lacks.
inline double FeatureValue(const graph::EventBatch& events, std::size_t row, std::int32_t feature) {
  if (feature < events.feature_count)
    return static_cast<double>(events.feature[row * static_cast<std::size_t>(events.feature_count) +
                                              static_cast<std::size_t>(feature)]);
  if (events.feature_count == 0 && feature == 0 && !events.label.empty())
    return static_cast<double>(events.label[row]);
  return std::nan("");
}

}  // namespace weft::operators::sequence
