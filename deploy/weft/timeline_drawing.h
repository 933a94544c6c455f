// A hierarchy of episodes in a terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/time.h"
#include "weft/v1/hierarchy.pb.h"

namespace weft::deploy {

// One line a level, the highest first, of `width` columns of equal time: an episode is a run of one
// shade, the next one another; what is still open is dotted. A line of signs below says where other
// operators noticed something. `levels` are timelines of level 1 and up, none empty of levels;
// without times the drawing spans what the highest level does.
std::string DrawTimeline(const std::vector<v1::TimelineResponse>& levels,
                         std::optional<graph::TimeUs> from_us,
                         std::optional<graph::TimeUs> until_us, std::int32_t width);

}  // namespace weft::deploy
