// EpisodeBatch: what happens to episodes, as packets carry it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "cache/episode_tree.h"
#include "graph/packet.h"

namespace weft::operators::hierarchy {

// A change, and the episode as it then was.
struct EpisodeRow {
  enum Kind : std::int32_t { kOpened, kClosed, kFinal, kGrown };

  Kind kind = kOpened;
  std::int32_t level = 1;
  std::int64_t number = 0;
  std::int64_t parent_begin =
      cache::Episode::kUndecided;  // first snapshot of the parent; of kFinal
  // Of one that was opened only where it begins. Of one that grows as far as it is known, without
  // salience and parent.
  cache::Episode episode;
  std::size_t pairs_end = 0;  // of its pair list in the batch's words
  // Of one that grows: the score of the latest boundary, decided or not (LeafBoundaries).
  std::int64_t latest_score = 0;
};
static_assert(std::has_unique_object_representations_v<EpisodeRow>);  // its bytes are its state

// One row a change, in the order in which they happened. Children that become final together are
// next to each other, and so are open episodes that are told together, leaves first.
struct EpisodeBatch {
  std::vector<EpisodeRow> rows;
  std::vector<std::uint32_t> words;

  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
  std::span<const std::uint32_t> PairsOf(std::size_t row) const {
    const std::size_t begin = row == 0 ? 0 : rows[row - 1].pairs_end;
    return std::span(words).subspan(begin, rows[row].pairs_end - begin);
  }
  // Appends a row of another batch, with its pairs.
  void AppendRow(const EpisodeBatch& from, std::size_t row);
};

// Of an episode that is still in the tree.
void AppendChange(const cache::EpisodeTree& tree, const cache::EpisodeChange& change,
                  EpisodeBatch& batch);

// What is open of each level as of now.
void AppendGrowing(const cache::EpisodeTree& tree, std::int64_t latest_score, EpisodeBatch& batch);

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::EpisodeBatch, "EpisodeBatch");
