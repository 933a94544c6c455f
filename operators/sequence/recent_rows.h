// RecentRows: what was said of the latest records, by their places in the log, for clients who wait
// for it. Not part of any state that is saved.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "graph/log_record.h"
#include "operators/sequence/sequence_row.h"

namespace weft::operators::sequence {

class RecentRows {
 public:
  static constexpr std::size_t kMost = 4096;

  void Add(graph::LogPosition position, SequenceRow row) {
    if (rows_.size() == kMost) rows_.pop_front();
    rows_.emplace_back(position, std::move(row));
  }

  // Calls `visit` with those of [begin, end) of a feed, in order.
  template <class Visit>
  void VisitRange(graph::LogPosition begin, std::uint64_t end_offset, Visit visit) const {
    for (const auto& [position, row] : rows_)
      if (position.feed == begin.feed && position.offset >= begin.offset &&
          position.offset < end_offset)
        visit(position, row);
  }

 private:
  std::deque<std::pair<graph::LogPosition, SequenceRow>> rows_;
};

}  // namespace weft::operators::sequence
