// SnapshotStream: events become snapshots, the interactions of equal spans of time, and these a
// hierarchy of episodes.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/episode_levels.h"
#include "graph/event_batch.h"
#include "graph/time.h"

namespace weft::operators::hierarchy {

struct SnapshotOptions {
  graph::TimeUs width_us = 1'000'000;  // of a snapshot; they begin at multiples of it
  // Spans without events are empty snapshots, of a longer gap only so many, which no boundary can
  // tell from more: four windows.
  std::int64_t most_empty = 64;
};

// Events in time order. Thread-compatible.
class SnapshotStream {
 public:
  SnapshotStream(const SnapshotOptions& options, const cache::LeafOptions& leaf)
      : options_(options), levels_(leaf) {}

  // Appends the episodes that the events close. A snapshot counts once an event of a later one
  // comes.
  void Push(graph::EventSpan events, std::vector<cache::LevelEpisode>& closed);
  // No more events will come.
  void Finish(std::vector<cache::LevelEpisode>& closed);

  // Begin of the first snapshot; 0 before the first event.
  graph::TimeUs origin_us() const { return origin_us_; }
  std::int64_t snapshot_count() const { return levels_.snapshot_count(); }

 private:
  void EndSnapshot(std::vector<cache::LevelEpisode>& closed);

  SnapshotOptions options_;
  cache::EpisodeLevels levels_;
  bool any_ = false;
  graph::TimeUs origin_us_ = 0;
  graph::TimeUs begin_us_ = 0;  // of the snapshot at hand
  std::vector<cache::Interaction> interactions_;
};

}  // namespace weft::operators::hierarchy
