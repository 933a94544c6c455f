// What `sequence_model` says, one row a record.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/event_batch.h"
#include "graph/packet.h"
#include "graph/time.h"
#include "operators/sequence/series_model.h"

namespace weft::operators::sequence {

struct SequenceRow {
  graph::NodeId series = 0;
  graph::TimeUs time_us = 0;
  double value = 0.0;  // of the first field
  SeriesKind kind = SeriesKind::kWeft;
  RecordVerdict said;
};

struct SequenceBatch {
  std::vector<SequenceRow> rows;
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

}  // namespace weft::operators::sequence

WEFT_PACKET_TYPE(weft::operators::sequence::SequenceBatch, "SequenceBatch");
