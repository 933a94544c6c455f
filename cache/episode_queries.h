// What can be asked of an EpisodeView but for single episodes: how much of a stretch of time to
// show, and what stands out in it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cache/episode_view.h"

namespace weft::cache {

// Largest value by which to order episodes: how much they differ from their parents, or how clear
// the boundary is at which they begin.
enum class EpisodeOrder { kSalience, kBoundary };

struct TimelineQuery {
  std::int64_t from_us = 0, to_us = 0;  // from before to
  std::int64_t most_items = 1000;
  std::int32_t level = 0;  // 0: the finest that has at most `most_items` there, or else the highest
  std::int64_t least_salience = 0;
  // If set, only episodes for which it holds, given a level and a number; of the latest
  // `most_scanned` of the level there.
  std::function<bool(std::int32_t, std::int64_t)> wanted = nullptr;
  std::int64_t most_scanned = 1 << 16;
};

struct TimelineItem {
  std::int64_t number = 0;
  std::int64_t hidden = 0;  // others that are wanted and begin in the same share of the time
  bool operator==(const TimelineItem&) const = default;
};

struct Timeline {
  std::int32_t level = 0;           // 0: nothing there
  std::vector<TimelineItem> items;  // in order
  std::int64_t episodes = 0;        // of the level in that time that are wanted
  bool cut = false;                 // there are more than `most_scanned`
  std::int64_t visited = 0;         // places of indexes and records that were looked at
};

// If the level has more, the time is cut into `most_items` equal shares, and of the episodes that
// begin in one (of the first share also the one that began before) the most salient is shown.
Timeline DecimatedTimeline(const EpisodeView& view, const TimelineQuery& query);

// The numbers of the `most` episodes of a range with the highest values, the highest first, of
// equal ones the earlier.
std::vector<std::int64_t> Highest(const EpisodeView& view, EpisodeRange range, EpisodeOrder order,
                                  std::size_t most, std::int64_t& visited);

// The first `most` of a range whose boundary has at least this score, in order; never the first
// episode of a level, which has no boundary.
std::vector<std::int64_t> ClearBoundaries(const EpisodeView& view, EpisodeRange range,
                                          std::int64_t least_score, std::size_t most,
                                          std::int64_t& visited);

}  // namespace weft::cache
