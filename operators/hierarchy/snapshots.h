// Snapshots: the interactions of spans of time, one after the other, as packets carry them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "cache/leaf_scores.h"
#include "graph/event_batch.h"
#include "graph/packet.h"
#include "graph/time.h"

namespace weft::operators::hierarchy {

// Rows are snapshots in order of time.
struct SnapshotBatch {
  std::vector<graph::TimeUs> begin_us, end_us;  // times [begin_us, end_us)
  std::vector<std::size_t> interactions_end;    // of each snapshot
  std::vector<cache::NodePair> interactions;

  std::int64_t size() const { return static_cast<std::int64_t>(begin_us.size()); }
  std::span<const cache::NodePair> InteractionsOf(std::int64_t row) const {
    const auto at = static_cast<std::size_t>(row);
    const std::size_t begin = at == 0 ? 0 : interactions_end[at - 1];
    return std::span(interactions).subspan(begin, interactions_end[at] - begin);
  }
  // Of rows [begin, end).
  cache::SnapshotPairs PairsOf(std::int64_t begin, std::int64_t end) const {
    return cache::SnapshotPairs{interactions, 0, interactions_end}.Part(begin, end - begin);
  }
};

struct SnapshotOptions {
  graph::TimeUs width_us = 1'000'000;  // of a snapshot; they begin at multiples of it
  // Instead, the events of each distinct time are a snapshot, and none is empty.
  bool each_time = false;
  // Spans without events are empty snapshots, of a longer gap only so many, which no boundary can
  // tell from more: four windows.
  std::int64_t most_empty = 64;
  std::int64_t most_events = 1 << 20;  // of a snapshot
  // Above 0: the width is chosen when SnapshotCutter::kFirstEvents have come, or no more will, so
  // that a snapshot has about so many; `width_us` does not count.
  std::int64_t auto_events = 0;
};

// The width of 1, 2, 5, 10, 15, 20 or 30 of a unit of time that is nearest above `width_us`; at
// most a year.
graph::TimeUs RoundWidth(graph::TimeUs width_us);

// SnapshotCutter: cuts events into snapshots. A snapshot is given out once the watermark says that
// no event of it can still come, so that events may come in any order within the feed's lateness.
// Thread-compatible.
class SnapshotCutter {
 public:
  static constexpr std::int64_t kFirstEvents = 1024;

  explicit SnapshotCutter(const SnapshotOptions& options)
      : options_(options), width_us_(options.auto_events > 0 ? 0 : options.width_us) {}

  void Add(graph::EventSpan events);
  // Appends the snapshots that are complete when all events before `watermark_us` have come.
  void Take(graph::TimeUs watermark_us, SnapshotBatch& batch);
  // Appends all that is left.
  void TakeAll(SnapshotBatch& batch);

  // Events of snapshots that had been given out.
  std::int64_t late_count() const { return late_count_; }
  // Events beyond the limit of their snapshot.
  std::int64_t left_out_count() const { return left_out_count_; }
  // 0 before it is chosen.
  graph::TimeUs width_us() const { return width_us_; }

  // State to save, and to load into a cutter with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.width_us_);
    archive.Array(self.first_, kFirstEvents);
    archive.Value(self.any_taken_);
    archive.Value(self.next_us_);
    archive.Value(self.late_count_);
    archive.Value(self.left_out_count_);
    std::vector<graph::TimeUs> begins;
    for (const auto& [begin_us, interactions] : self.pending_) begins.push_back(begin_us);
    archive.Array(begins, kMostPending);
    for (const graph::TimeUs begin_us : begins) {
      if constexpr (Archive::kLoads) {
        archive.Array(self.pending_[begin_us],
                      static_cast<std::uint64_t>(self.options_.most_events));
      } else {
        archive.Array(self.pending_.find(begin_us)->second, 0);
      }
    }
  }

 private:
  static constexpr std::uint64_t kMostPending = std::uint64_t{1} << 32;

  // Of a stream whose width is not chosen yet.
  struct FirstEvent {
    graph::TimeUs time_us = 0;
    cache::NodePair pair;
  };

  graph::TimeUs BeginOf(graph::TimeUs time_us) const;
  graph::TimeUs EndOf(graph::TimeUs begin_us) const {
    return begin_us + (options_.each_time ? 1 : width_us_);
  }
  void Add(graph::TimeUs time_us, cache::NodePair pair);
  void ChooseWidth();

  SnapshotOptions options_;
  graph::TimeUs width_us_;
  std::vector<FirstEvent> first_;
  std::map<graph::TimeUs, std::vector<cache::NodePair>> pending_;  // by begin
  bool any_taken_ = false;
  graph::TimeUs next_us_ = 0;  // end of the last one that was given out
  std::int64_t late_count_ = 0, left_out_count_ = 0;
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::SnapshotBatch, "SnapshotBatch");
