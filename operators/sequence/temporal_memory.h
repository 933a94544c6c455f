// TemporalMemory: learns which minicolumns follow which, in context: each column has many cells,
// and which of them is active says what came before. Cells whose segments see a known context are
// predictive; a column that comes without being predicted bursts.
//
// Source: the temporal memory of HTM (Hawkins and Ahmad 2016; Cui, Ahmad, Hawkins 2016).
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/segment_store.h"

namespace weft::operators::sequence {

// Permanences from 0 to 1, to four digits.
struct TemporalMemoryOptions {
  std::int64_t columns = 2048;  // times cells_per_column at most 65,536
  std::int32_t cells_per_column = 32;
  std::int32_t activation_threshold = 13;  // connected active synapses of an active segment
  std::int32_t min_threshold = 10;         // active synapses of one that may learn
  double initial_permanence = 0.21;
  double connected_permanence = 0.5;
  double permanence_increment = 0.1;
  double permanence_decrement = 0.1;
  double predicted_decrement = 0.0;  // of segments that predicted in vain
  std::int32_t max_new_synapses = 20;
  std::int32_t max_segments_per_cell = 128;
  std::int32_t max_synapses_per_segment = 128;
  std::int64_t max_segments = 1 << 17;  // of all cells
  // A full segment gives up synapses with less permanence for new ones. Any but whole ones, as
  // published, follow a change soonest; those below initial_permanence, none that were ever right,
  // so that noise does not wear away what is known.
  double replaced_below = 1.0;
  std::uint64_t seed = 42;
};

// Thread-compatible. Exact: counts are integers, draws depend on the seed and the step alone.
class TemporalMemory {
 public:
  explicit TemporalMemory(const TemporalMemoryOptions& options);

  // The next active columns, rising. Returns how many of them were predicted.
  std::int64_t Step(std::span<const std::uint32_t> columns, bool learns);
  // The next step follows nothing.
  void Reset();
  // Cells that lose their segments and never again become active or predictive.
  void Kill(std::span<const std::uint32_t> cells);

  // After a step: cells that are active, rising; columns with a cell that is predictive of the next
  // step, rising.
  std::span<const std::uint32_t> active_cells() const { return active_; }
  std::span<const std::uint32_t> predicted_columns() const { return predicted_columns_; }
  std::int64_t cell_count() const { return options_.columns * options_.cells_per_column; }
  const SegmentStore& segments() const { return segments_; }
  std::size_t bytes() const;

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    const auto most = static_cast<std::uint64_t>(self.cell_count());
    archive.Value(self.step_);
    archive.Array(self.active_, most);
    archive.Array(self.winners_, most);
    archive.Fixed(self.dead_);
    SegmentStore::VisitState(self.segments_, archive);
    if constexpr (Archive::kLoads) {
      archive.Check(self.IsWhole(), "cells that there are");
      if (archive.ok()) self.Restore();
    }
  }

 private:
  using Id = SegmentStore::Id;
  // A segment that is active or matching. In one word, which sorts by cell and then by number:
  // after a burst there are thousands.
  class Match {
   public:
    Match(std::uint32_t cell, Id segment, std::uint32_t connected, std::uint32_t potential)
        : word_(std::uint64_t{cell} << 48 | std::uint64_t{segment} << 16 | connected << 8 |
                potential) {}
    std::uint32_t cell() const { return static_cast<std::uint32_t>(word_ >> 48); }
    Id segment() const { return static_cast<Id>(word_ >> 16); }
    std::int32_t connected() const { return static_cast<std::int32_t>(word_ >> 8 & 0xff); }
    std::int32_t potential() const { return static_cast<std::int32_t>(word_ & 0xff); }
    auto operator<=>(const Match&) const = default;

   private:
    std::uint64_t word_;
  };

  bool IsOn(const std::vector<std::uint32_t>& bits, std::uint32_t cell) const {
    return (bits[cell / 32] >> (cell % 32) & 1) != 0;
  }
  void PrefetchAhead(std::size_t match) const;
  void ActivatePredicted(std::span<const Match> matches, bool learns);
  void Burst(std::uint32_t column, std::span<const Match> matches, bool learns);
  std::uint32_t LeastUsedCell(std::uint32_t column) const;
  void Learn(const Match& match);
  void Grow(Id segment, std::int32_t count);
  void FindCandidates(Id segment);
  void Punish(const Match& match);
  void Predict();
  void FindMatches();
  void SortMatches();
  void AddIfMatching(Id segment, std::uint32_t count);
  bool IsWhole() const;
  void Restore();

  TemporalMemoryOptions options_;
  std::int32_t initial_, connected_, up_, down_, punished_, replaced_;  // in units of 1/10000
  SegmentStore segments_;
  std::uint32_t step_ = 0;
  std::vector<std::uint32_t> active_, winners_;            // cells, rising
  std::vector<std::uint32_t> next_active_, next_winners_;  // of the step at hand
  std::vector<std::uint32_t> active_bits_, winner_bits_;   // of active_ and winners_
  std::vector<std::uint32_t> dead_;                        // bits of cells
  // What active_ makes of the segments.
  std::vector<Match> matches_, sorted_;
  std::vector<std::uint32_t> predicted_columns_;
  std::vector<std::uint16_t> count_;  // by segment (ListenerIndex::Count), 0 between steps
  std::vector<Id> touched_;
  std::vector<std::uint32_t> candidates_;
};

}  // namespace weft::operators::sequence
