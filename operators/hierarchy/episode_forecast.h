// What comes after an episode, from the episodes of its level that are closed: when it will have
// ended, what it is like, and what followed that. Nothing is trained: the past is counted.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cache/episode_view.h"
#include "gpu/exec.h"
#include "graph/event_batch.h"
#include "graph/time.h"

namespace weft::operators::hierarchy {

// When an open episode ends. Times may lie in the past: an end is decided some while after it was.
struct EndForecast {
  static constexpr std::array<double, 3> kShares = {0.1, 0.5, 0.9};
  std::array<graph::TimeUs, 3> end_us = {};  // it ends before with these probabilities
  double ends_within = 0.0;                  // probability that it ends within the horizon from now
  // Closed episodes that were still open at its age, which are the ground of it; 0: all were
  // shorter, and it is taken to end at the same rate at any age.
  std::int64_t based_on = 0;
};

// Closed episodes of a level, how long they lasted and how long it took to know. Thread-compatible.
class DurationHistory {
 public:
  static constexpr std::int64_t kFewest = 8;
  static constexpr std::int64_t kMost = 4096;  // the latest

  DurationHistory() = default;
  // With what a view has of the level.
  DurationHistory(const cache::EpisodeView& view, std::int32_t level);

  void Add(const cache::Episode& closed);

  std::int64_t size() const { return static_cast<std::int64_t>(latest_.size()); }
  // Of an episode that began at `begin_us` and was open when all before `now_us` was known. None
  // with fewer than kFewest closed episodes.
  std::optional<EndForecast> ForecastEnd(graph::TimeUs begin_us, graph::TimeUs now_us,
                                         graph::TimeUs horizon_us) const;
  // Of one that ends at the same rate at any age: with the mean duration, from `now_us` on.
  EndForecast MemorylessFrom(graph::TimeUs now_us, graph::TimeUs horizon_us) const;

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    std::vector<Closed> latest(self.latest_.begin(), self.latest_.end());
    archive.Array(latest, kMost);
    if constexpr (Archive::kLoads) {
      self.latest_.assign(latest.begin(), latest.end());
      std::ranges::sort(latest);
      self.by_age_ = std::move(latest);
    }
  }

 private:
  struct Closed {
    graph::TimeUs known_after_us = 0;  // from its begin
    graph::TimeUs duration_us = 0;
    auto operator<=>(const Closed&) const = default;
  };

  std::deque<Closed> latest_;
  std::vector<Closed> by_age_;  // the same, rising
};

// A closed episode like the one at hand, and the one that followed it.
struct Precedent {
  std::int64_t number = 0;  // of the closed one; number + 1 is closed as well
  float affinity = 0;       // of the mixes of pairs (cache/mix_affinity.h)
};

// The `most` of the closed episodes `closed` that are most like a mix of pairs and have a closed
// successor before `before`, the most alike first, of equal ones the later.
std::vector<Precedent> FindPrecedents(const cache::EpisodeRing& ring, cache::EpisodeRange closed,
                                      std::int64_t before, std::span<const std::uint64_t> pairs,
                                      std::size_t most, const gpu::Exec& exec);

// A node with its share of the interactions.
struct NodeShare {
  graph::NodeId node = 0;
  double share = 0.0;
};

// Who will take part most in the episode that follows one like these: what took part in those that
// followed them, each by its affinity. The highest share first.
std::vector<NodeShare> NextNodes(const cache::EpisodeRing& ring,
                                 std::span<const Precedent> precedents);

}  // namespace weft::operators::hierarchy
