#include "deploy/weft/timeline_drawing.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using graph::TimeUs;

// Of one column.
constexpr const char* kNothing = " ";
constexpr const char* kShades[] = {"█", "▒"};
constexpr const char* kOpen = "░";

struct Axis {
  TimeUs from_us = 0, until_us = 0;
  std::int32_t width = 0;

  std::int32_t ColumnOf(TimeUs time_us) const {
    const double share = (static_cast<double>(time_us) - static_cast<double>(from_us)) /
                         (static_cast<double>(until_us) - static_cast<double>(from_us));
    return std::clamp(static_cast<std::int32_t>(share * width), 0, width);
  }
};

// Where an episode begins another shade begins; one that is shown for many is one column wide at
// least.
std::string Row(const v1::TimelineResponse& level, const Axis& axis) {
  std::vector<const char*> columns(static_cast<std::size_t>(axis.width), kNothing);
  int shade = 0;
  for (int i = 0; i < level.item_size(); ++i) {
    const v1::Episode& episode = level.item(i).episode();
    // What is hidden between two that are shown belongs to neither, but leaves no gap.
    const TimeUs end_us =
        i + 1 < level.item_size() ? level.item(i + 1).episode().begin_us() : episode.end_us();
    const std::int32_t begin = axis.ColumnOf(episode.begin_us());
    const std::int32_t end = std::max(begin + 1, axis.ColumnOf(end_us));
    const bool is_open = episode.state() == v1::EPISODE_STATE_OPEN;
    for (std::int32_t column = begin; column < std::min(end, axis.width); ++column)
      columns[static_cast<std::size_t>(column)] = is_open ? kOpen : kShades[shade];
    shade = 1 - shade;
  }
  std::string row;
  for (const char* column : columns) row += column;
  return row;
}

// A sign where something was noticed; nothing if nothing was.
std::string MarkRow(const v1::TimelineResponse& level, const Axis& axis) {
  std::string row(static_cast<std::size_t>(axis.width), ' ');
  bool any = false;
  for (const v1::TimelineMark& mark : level.mark()) {
    if (mark.begin_us() < axis.from_us || mark.begin_us() >= axis.until_us) continue;
    const std::int32_t column = std::min(axis.ColumnOf(mark.begin_us()), axis.width - 1);
    row[static_cast<std::size_t>(column)] = '^';
    any = true;
  }
  return any ? "   " + row + "\n" : "";
}

}  // namespace

std::string DrawTimeline(const std::vector<v1::TimelineResponse>& levels,
                         std::optional<TimeUs> from_us, std::optional<TimeUs> until_us,
                         std::int32_t width) {
  Axis axis{std::numeric_limits<TimeUs>::max(), std::numeric_limits<TimeUs>::min(), width};
  for (const v1::TimelineItem& item : levels.back().item()) {
    axis.from_us = std::min(axis.from_us, item.episode().begin_us());
    axis.until_us = std::max(axis.until_us, item.episode().end_us());
  }
  axis.from_us = from_us.value_or(axis.from_us);
  axis.until_us = until_us.value_or(axis.until_us);
  if (axis.from_us >= axis.until_us) return "nothing happened in that time\n";
  std::string text;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level)
    absl::StrAppendFormat(&text, "%2d %s %6d\n", level->level(), Row(*level, axis),
                          level->episode_count());
  text += MarkRow(levels.front(), axis);
  const std::string begin = operators::io::FormatTime(axis.from_us).substr(0, 19);
  const std::string end = operators::io::FormatTime(axis.until_us).substr(0, 19);
  absl::StrAppendFormat(&text, "   %-*s%s\n", std::max(0, width - 19), begin, end);
  return text;
}

}  // namespace weft::deploy
