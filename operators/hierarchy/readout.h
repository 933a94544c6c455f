// Readout: what can be read off a hierarchy of episodes at a moment, as numbers to learn from:
// about the open episode of each level, about the latest windows of snapshots, and the graph of the
// open and the latest closed episodes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "cache/episode_tree.h"
#include "graph/packet.h"
#include "graph/time.h"
#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/episode_vertex.h"
#include "operators/learn/relational_network.h"

namespace weft::operators::hierarchy {

// Levels whose episodes are in the graph, a group each.
inline constexpr std::int32_t kReadoutLevels = 4;
// Closed episodes of each level in it, beside the open one.
inline constexpr std::size_t kReadoutClosed = 8;

// The open episode of a level.
struct LevelReadout {
  std::int32_t level = 1;
  std::int64_t begin = 0;  // first snapshot
  graph::TimeUs begin_us = 0;
  // log(1 + x) of its age in seconds, of its children and of its interactions.
  std::array<float, 3> columns = {};
  bool operator==(const LevelReadout&) const = default;
};

struct Readout {
  std::int64_t snapshot = 0;  // how many there are
  graph::TimeUs now_us = 0;   // end of the latest
  // The score of the latest boundary, decided or not; the same at the readout before; its mean,
  // fading by a tenth each; and by how much log(1 + x) of the interactions since the readout before
  // is above that of their mean.
  std::array<float, 4> windows = {};
  std::vector<LevelReadout> levels;  // from the leaves up
  // Those that were closed since the readout before, then what is open.
  EpisodeBatch episodes;
  // Groups are levels: of each the closed ones in order, then the open one.
  learn::RelationalGraphs graph;
};

// Makes readouts of what a tree tells (AppendGrowing). Thread-compatible.
class ReadoutBuilder {
 public:
  // Appends one for each moment at which open episodes are told.
  void Take(const EpisodeBatch& batch, std::vector<Readout>& readouts);

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& closed : self.closed_) {
      std::vector<EpisodeVertex> kept(closed.begin(), closed.end());
      archive.Array(kept, kReadoutClosed);
      if constexpr (Archive::kLoads) {
        archive.Check(std::ranges::all_of(kept, IsVertex), "episodes of levels that there are");
        closed.assign(kept.begin(), kept.end());
      }
    }
    archive.Array(self.closed_since_.rows, kMostClosed);
    archive.Array(self.closed_since_.words, kMostWords);
    archive.Value(self.closed_interactions_);
    archive.Value(self.interactions_);
    archive.Value(self.last_score_);
    archive.Value(self.mean_score_);
    archive.Value(self.mean_interactions_);
  }

 private:
  static constexpr std::uint64_t kMostClosed = 1 << 24;
  static constexpr std::uint64_t kMostWords = std::uint64_t{1} << 34;

  Readout Make(const EpisodeBatch& batch, std::size_t begin, std::size_t end);
  std::array<float, 4> NextWindows(double score, double interactions);

  std::array<std::deque<EpisodeVertex>, kReadoutLevels> closed_;
  EpisodeBatch closed_since_;              // the readout before
  std::uint64_t closed_interactions_ = 0;  // of all closed leaves
  std::uint64_t interactions_ = 0;         // up to the readout before
  double last_score_ = 0.0, mean_score_ = 0.0, mean_interactions_ = 0.0;
};

// Moments as rows.
struct ReadoutBatch {
  std::vector<Readout> rows;
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::ReadoutBatch, "ReadoutBatch");
