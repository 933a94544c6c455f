#include "operators/hierarchy/snapshots.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gpu/fixed_log.h"

namespace weft::operators::hierarchy {

graph::TimeUs RoundWidth(graph::TimeUs width_us) {
  constexpr graph::TimeUs kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
  constexpr graph::TimeUs kDay = 24 * kHour;
  for (graph::TimeUs ten = 1; ten < kSecond; ten *= 10)
    for (const graph::TimeUs digit : {1, 2, 5})
      if (width_us <= digit * ten) return digit * ten;
  for (const graph::TimeUs unit : {kSecond, kMinute})
    for (const graph::TimeUs count : {1, 2, 5, 10, 15, 20, 30})
      if (width_us <= count * unit) return count * unit;
  for (const graph::TimeUs count : {1, 2, 3, 6, 12})
    if (width_us <= count * kHour) return count * kHour;
  for (const graph::TimeUs count : {1, 2, 7, 14, 28, 91})
    if (width_us <= count * kDay) return count * kDay;
  return 365 * kDay;
}

graph::TimeUs SnapshotCutter::BeginOf(graph::TimeUs time_us) const {
  if (options_.each_time) return time_us;
  const graph::TimeUs rest = time_us % width_us_;
  return time_us - (rest < 0 ? rest + width_us_ : rest);
}

void SnapshotCutter::ChooseWidth() {
  const auto [first, last] = std::ranges::minmax(first_, {}, &FirstEvent::time_us);
  const auto span = static_cast<gpu::Int128>(last.time_us) - first.time_us;
  const gpu::Int128 wanted = span * options_.auto_events / static_cast<gpu::Int128>(first_.size());
  constexpr gpu::Int128 kMost = std::numeric_limits<graph::TimeUs>::max();
  // Events of one time say nothing.
  width_us_ =
      span == 0 ? RoundWidth(1'000'000)
                : RoundWidth(static_cast<graph::TimeUs>(std::clamp<gpu::Int128>(wanted, 1, kMost)));
  const std::vector<FirstEvent> events = std::move(first_);
  first_.clear();
  for (const auto& [time_us, pair] : events) Add(time_us, pair);
}

void SnapshotCutter::Add(graph::EventSpan events) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const cache::NodePair pair = {events.source[i], events.target[i]};
    if (width_us_ > 0 || options_.each_time) {
      Add(events.time_us[i], pair);
    } else {
      first_.push_back({events.time_us[i], pair});
      if (static_cast<std::int64_t>(first_.size()) == kFirstEvents) ChooseWidth();
    }
  }
}

void SnapshotCutter::Add(graph::TimeUs time_us, cache::NodePair pair) {
  const graph::TimeUs begin_us = BeginOf(time_us);
  if (any_taken_ && begin_us < next_us_) {
    ++late_count_;
    return;
  }
  std::vector<cache::NodePair>& snapshot = pending_[begin_us];
  if (static_cast<std::int64_t>(snapshot.size()) < options_.most_events) {
    snapshot.push_back(pair);
  } else {
    ++left_out_count_;
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
      // What is cut out of a long gap is its middle: both of its ends keep their times.
      const std::int64_t gap = (begin_us - next_us_) / width_us_;
      const std::int64_t count = std::min(gap, options_.most_empty);
      for (std::int64_t i = 0; i < count; ++i)
        append(i < (count + 1) / 2 ? next_us_ + i * width_us_ : begin_us - (count - i) * width_us_);
    }
    batch.interactions.insert(batch.interactions.end(), first->second.begin(), first->second.end());
    append(begin_us);
    any_taken_ = true;
    next_us_ = EndOf(begin_us);
    pending_.erase(first);
  }
}

void SnapshotCutter::TakeAll(SnapshotBatch& batch) {
  if (!first_.empty()) ChooseWidth();
  Take(std::numeric_limits<graph::TimeUs>::max(), batch);
}

}  // namespace weft::operators::hierarchy
