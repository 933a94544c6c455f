// What operators that follow series publish; the service reads it through Graph::Read.
#pragma once

#include "operators/sequence/recent_rows.h"
#include "operators/sequence/series_table.h"

namespace weft::operators::sequence {

// Published by `sequence_model`.
class SequenceReader {
 public:
  virtual ~SequenceReader() = default;
  virtual const SeriesTable& table() const = 0;
  // What was said lately.
  virtual const RecentRows& recent() const = 0;
  // Scores from this on are marks and, to those who subscribe, alarms.
  virtual double alarm() const = 0;
};

}  // namespace weft::operators::sequence
