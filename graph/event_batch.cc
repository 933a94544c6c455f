#include "graph/event_batch.h"

#include "graph/check.h"

namespace weft::graph {

void EventBatch::Clear() {
  source.clear();
  target.clear();
  time_us.clear();
  label.clear();
  feature.clear();
  feature_count = 0;
}

void EventBatch::Reserve(std::int64_t events) {
  const auto count = static_cast<std::size_t>(events);
  source.reserve(count);
  target.reserve(count);
  time_us.reserve(count);
}

EventSpan EventSpan::Of(const EventBatch& batch, std::int64_t begin, std::int64_t end) {
  WEFT_CHECK(0 <= begin && begin <= end && end <= batch.size());
  const auto first = static_cast<std::size_t>(begin);
  const auto count = static_cast<std::size_t>(end - begin);
  const auto width = static_cast<std::size_t>(batch.feature_count);
  EventSpan span;
  span.source = std::span(batch.source).subspan(first, count);
  span.target = std::span(batch.target).subspan(first, count);
  span.time_us = std::span(batch.time_us).subspan(first, count);
  if (!batch.label.empty()) span.label = std::span(batch.label).subspan(first, count);
  span.feature = std::span(batch.feature).subspan(first * width, count * width);
  span.feature_count = batch.feature_count;
  return span;
}

}  // namespace weft::graph
