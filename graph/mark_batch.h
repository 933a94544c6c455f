// MarkBatch: things that operators notice and that people want to see beside what happened: another
// model answers, an anomaly, a gap. What keeps a timeline takes them in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/event_batch.h"
#include "graph/packet.h"
#include "graph/time.h"

namespace weft::graph {

struct Mark {
  TimeUs begin_us = 0, end_us = 0;  // a moment if they are equal
  std::string kind;                 // one word: "model", "anomaly"
  std::string text;                 // for people
  NodeId node = kNoNode;            // that it is about, if it is about one
  bool operator==(const Mark&) const = default;
};

// One row a mark.
struct MarkBatch {
  std::vector<Mark> marks;
  std::int64_t size() const { return static_cast<std::int64_t>(marks.size()); }
};

}  // namespace weft::graph

WEFT_PACKET_TYPE(weft::graph::MarkBatch, "MarkBatch");
