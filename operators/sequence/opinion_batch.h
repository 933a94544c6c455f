// OpinionBatch: records of series with what experts say of each, a column an expert: what the
// experts of docs/sequence.md pass on as operators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/event_batch.h"
#include "graph/packet.h"
#include "graph/time.h"

namespace weft::operators::sequence {

// One row a record, in columns of equal length.
struct OpinionBatch {
  std::vector<graph::NodeId> series;
  std::vector<graph::TimeUs> time_us;
  std::vector<double> value;                 // NaN: missing
  std::vector<std::string> expert;           // names of nodes, in the order in which they spoke
  std::vector<std::vector<double>> opinion;  // by expert; NaN: has nothing to say of this record

  std::int64_t size() const { return static_cast<std::int64_t>(series.size()); }
};

}  // namespace weft::operators::sequence

WEFT_PACKET_TYPE(weft::operators::sequence::OpinionBatch, "OpinionBatch");
