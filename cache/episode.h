// Episode: an interval of the hierarchy of what happened, as it is kept.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "gpu/host_device.h"

namespace weft::cache {

// An interaction.
struct NodePair {
  std::uint32_t source = 0;
  std::uint32_t target = 0;
};

// Nodes and pairs of nodes that an episode names.
inline constexpr std::size_t kTopItems = 16;

// A node that took part in `count` interactions; no node where the count is 0. Counts of what an
// episode names are at most the true ones (frequent_items.h) and stop at 2^32 - 1.
struct TopNode {
  std::uint32_t node = 0;
  std::uint32_t count = 0;
  bool operator==(const TopNode&) const = default;
};
struct TopPair {
  std::uint32_t source = 0, target = 0;
  std::uint32_t count = 0;
  bool operator==(const TopPair&) const = default;
};

// Levels are numbered from 1, the leaves; episodes of a level from 0, in order. An episode of a
// higher level is made of whole ones of the level below: its children.
struct Episode {
  static constexpr std::int64_t kUndecided = -1;

  std::int64_t begin = 0, end = 0;        // snapshots [begin, end), numbered from 0
  std::int64_t begin_us = 0, end_us = 0;  // times [begin_us, end_us)
  // It is closed since the stream was known up to this time.
  std::int64_t decided_us = 0;
  std::int64_t first_child = 0, child_count = 0;  // of a leaf: its snapshots
  std::int64_t parent = kUndecided;               // number on the level above
  std::uint64_t interactions = 0;
  // Of the boundary at `begin`; 0 for the first episode of a level. Of a leaf standard deviations
  // above chance, in units of 2^-24; of a higher level nats an interaction, in units of 2^-48.
  std::int64_t score = 0;
  // How much it differs from its parent: nats in units of 2^-24 (salience.h). 0 while the parent is
  // undecided.
  std::int64_t salience = 0;
  std::uint64_t pairs_begin = 0;  // of its pair list in the level's words
  std::uint64_t pairs_size = 0;
  std::array<TopNode, kTopItems> nodes = {};  // the highest counts first
  std::array<TopPair, kTopItems> pairs = {};
  bool operator==(const Episode&) const = default;
};
static_assert(std::has_unique_object_representations_v<Episode>);  // its bytes are its state

// As people read them: salience in nats, and how clear a boundary is: of leaves in standard
// deviations above chance, of higher levels in nats an interaction.
double SalienceNats(const Episode& episode);
double BoundaryStrength(std::int32_t level, std::int64_t score);
// The score of a strength; the nearest that there can be.
std::int64_t FixedStrength(std::int32_t level, double strength);

// Where an episode begins.
struct EpisodePlace {
  std::int32_t level = 1;
  std::int64_t begin = 0;  // snapshot, under 2^56
  bool operator==(const EpisodePlace&) const = default;
};

// What users call an episode by: never changes, and is another one for every episode of a tree.
std::uint64_t EpisodeId(EpisodePlace place);
// The place that has this id; level and begin may be ones that no tree has.
EpisodePlace PlaceOfId(std::uint64_t id);

}  // namespace weft::cache
