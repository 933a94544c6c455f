#include "operators/hierarchy/snapshots.h"

#include <algorithm>
#include <limits>

namespace weft::operators::hierarchy {

graph::TimeUs SnapshotCutter::BeginOf(graph::TimeUs time_us) const {
  if (options_.each_time) return time_us;
  const graph::TimeUs rest = time_us % options_.width_us;
  return time_us - (rest < 0 ? rest + options_.width_us : rest);
}

void SnapshotCutter::Add(graph::EventSpan events) {
  std::vector<cache::NodePair>* snapshot = nullptr;
  graph::TimeUs of_us = 0;
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const graph::TimeUs begin_us = BeginOf(events.time_us[i]);
    if (any_taken_ && begin_us < next_us_) {
      ++late_count_;
      continue;
    }
    if (snapshot == nullptr || begin_us != of_us) {
      snapshot = &pending_[begin_us];
      of_us = begin_us;
    }
    if (static_cast<std::int64_t>(snapshot->size()) >= options_.most_events) {
      ++left_out_count_;
      continue;
    }
    snapshot->push_back({events.source[i], events.target[i]});
  }
}

void SnapshotCutter::Take(graph::TimeUs watermark_us, SnapshotBatch& batch) {
  const auto append = [&](graph::TimeUs begin_us) {
    batch.begin_us.push_back(begin_us);
    batch.end_us.push_back(EndOf(begin_us));
    batch.interactions_end.push_back(batch.interactions.size());
  };
  while (!pending_.empty() && EndOf(pending_.begin()->first) <= watermark_us) {
    const auto first = pending_.begin();
    const graph::TimeUs begin_us = first->first;
    if (any_taken_ && !options_.each_time) {
      const std::int64_t gap = (begin_us - next_us_) / options_.width_us;
      for (std::int64_t empty = std::min(gap, options_.most_empty); empty > 0; --empty)
        append(begin_us - empty * options_.width_us);
    }
    batch.interactions.insert(batch.interactions.end(), first->second.begin(), first->second.end());
    append(begin_us);
    any_taken_ = true;
    next_us_ = EndOf(begin_us);
    pending_.erase(first);
  }
}

void SnapshotCutter::TakeAll(SnapshotBatch& batch) {
  Take(std::numeric_limits<graph::TimeUs>::max(), batch);
}

}  // namespace weft::operators::hierarchy
