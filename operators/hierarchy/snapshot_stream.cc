#include "operators/hierarchy/snapshot_stream.h"

#include <algorithm>

namespace weft::operators::hierarchy {
namespace {

graph::TimeUs FloorTo(graph::TimeUs time_us, graph::TimeUs width_us) {
  const graph::TimeUs rest = time_us % width_us;
  return time_us - (rest < 0 ? rest + width_us : rest);
}

}  // namespace

void SnapshotStream::Push(graph::EventSpan events, std::vector<cache::LevelEpisode>& closed) {
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const auto e = static_cast<std::size_t>(i);
    const graph::TimeUs begin_us = FloorTo(events.time_us[e], options_.width_us);
    if (!any_) origin_us_ = begin_us_ = begin_us;
    any_ = true;
    if (begin_us > begin_us_) {
      EndSnapshot(closed);
      const std::int64_t gap = (begin_us - begin_us_) / options_.width_us - 1;
      for (std::int64_t empty = std::min(gap, options_.most_empty); empty > 0; --empty)
        levels_.Push({}, begin_us - empty * options_.width_us, closed);
      begin_us_ = begin_us;
    }
    interactions_.push_back({events.source[e], events.target[e]});
  }
}

void SnapshotStream::Finish(std::vector<cache::LevelEpisode>& closed) {
  if (!any_) return;
  EndSnapshot(closed);
  levels_.Finish(begin_us_ + options_.width_us, closed);
}

void SnapshotStream::EndSnapshot(std::vector<cache::LevelEpisode>& closed) {
  levels_.Push(interactions_, begin_us_, closed);
  interactions_.clear();
}

}  // namespace weft::operators::hierarchy
