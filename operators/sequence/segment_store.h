// SegmentStore: the dendritic segments of a temporal memory with their synapses: flat arrays, and
// bounds on everything.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/listener_index.h"

namespace weft::operators::sequence {

struct SegmentLimits {
  std::int64_t cells = 0;  // at most 65,536
  std::int32_t segments_of_cell = 128;
  std::int32_t synapses_of_segment = 128;
  std::int64_t segments = 1 << 17;  // of all cells; the one that was idle longest gives way
};

// Permanences are in units of 1/10000. Thread-compatible.
class SegmentStore {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = ~0u;

  // Synapses with at least `connected` count as connected.
  SegmentStore(const SegmentLimits& limits, std::uint16_t connected);

  // Segments that are there.
  std::int64_t segment_count() const { return count_; }
  std::int64_t synapse_count() const { return synapse_count_; }
  std::size_t bytes() const;

  std::uint32_t CellOf(Id segment) const { return segments_[segment].cell; }
  bool IsThere(Id segment) const { return segments_[segment].size_class != kFree; }
  std::int32_t SegmentsOf(std::uint32_t cell) const { return of_cell_[cell]; }
  // The cells that a segment listens to, and how permanently.
  std::span<const std::uint16_t> Sources(Id segment) const {
    return {SourceAt(segments_[segment].begin), segments_[segment].size};
  }
  std::span<const std::uint16_t> Permanences(Id segment) const {
    return {PermanenceAt(segments_[segment].begin), segments_[segment].size};
  }

  // Asks memory for a segment, and then for its synapses.
  void PrefetchSegment(Id segment) const { __builtin_prefetch(&segments_[segment]); }
  void PrefetchSynapses(Id segment) const {
    __builtin_prefetch(SourceAt(segments_[segment].begin));
    __builtin_prefetch(PermanenceAt(segments_[segment].begin));
  }

  // A new segment of a cell; the cell's, or everybody's, that was idle longest gives way.
  Id Create(std::uint32_t cell, std::uint32_t step);
  void Destroy(Id segment);
  // It was active at this step.
  void Touch(Id segment, std::uint32_t step);
  // A new synapse. The segment must have room.
  void AddSynapse(Id segment, std::uint32_t source, std::uint16_t permanence);
  // Moves the permanence of each synapse: by `up` where the bit of its source is on, else by
  // `down`; those that come to 0 go.
  void Adapt(Id segment, std::int32_t up, std::int32_t down, std::span<const std::uint32_t> on);
  // Frees room for `count` more synapses: of those with less than `strong` the least permanent go,
  // of equal ones the first, but none where the bit of its source is on.
  void MakeRoom(Id segment, std::int32_t count, std::uint16_t strong,
                std::span<const std::uint32_t> on);

  // Which segments listen to a cell.
  const ListenerIndex& listeners() const { return listeners_; }
  std::size_t segment_places() const { return segments_.size(); }

  // State to save, and to load into a store with the same limits.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.segments_, static_cast<std::uint64_t>(self.limits_.segments));
    archive.Array(self.free_, static_cast<std::uint64_t>(self.limits_.segments));
    VisitChunks(self.source_, archive);
    VisitChunks(self.permanence_, archive);
    for (auto& free : self.free_blocks_) archive.Array(free, kMostWords);
    archive.Value(self.next_free_);
    archive.Value(self.oldest_);
    archive.Value(self.newest_);
    if constexpr (Archive::kLoads)
      archive.Check(self.Reindex(), "segments of cells that there are");
  }

 private:
  static constexpr std::uint64_t kMostWords = std::uint64_t{1} << 32;
  // Synapses lie in chunks, so that none moves when there are more.
  static constexpr std::uint32_t kChunk = 1 << 16;
  // Capacities of blocks: 8, 16, 32, 64, 128.
  static constexpr std::size_t kClasses = 5;
  static constexpr std::uint32_t Capacity(std::uint32_t size_class) { return 8u << size_class; }
  static constexpr std::uint32_t kMostSynapses = 8u << (kClasses - 1);

  static constexpr std::uint8_t kFree = 0xff;  // as size class: the place is free

  struct Segment {
    std::uint16_t cell = 0;
    std::uint8_t size = 0, size_class = kFree;
    std::uint32_t begin = 0;                     // of its synapses
    std::uint32_t older = kNone, newer = kNone;  // by when they were last active
    std::uint32_t last_step = 0;
  };

  template <class Chunks, class Archive>
  static void VisitChunks(Chunks& chunks, Archive& archive) {
    std::uint64_t count = chunks.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= kMostWords / kChunk, "chunks of synapses");
      if (!archive.ok()) return;
      chunks.resize(count);
    }
    for (auto& chunk : chunks) archive.Array(chunk, kChunk);
  }

  std::uint16_t* SourceAt(std::uint32_t at) { return source_[at / kChunk].data() + at % kChunk; }
  const std::uint16_t* SourceAt(std::uint32_t at) const {
    return source_[at / kChunk].data() + at % kChunk;
  }
  std::uint16_t* PermanenceAt(std::uint32_t at) {
    return permanence_[at / kChunk].data() + at % kChunk;
  }
  const std::uint16_t* PermanenceAt(std::uint32_t at) const {
    return permanence_[at / kChunk].data() + at % kChunk;
  }
  void AddPlace();
  void Link(Id segment);
  void Unlink(Id segment);
  std::uint32_t Allocate(std::uint32_t size_class);
  void Grow(Segment& segment);
  void RemoveSynapse(Id segment, std::uint32_t place);
  void Settle(Id segment);
  bool Reindex();

  SegmentLimits limits_;
  std::uint16_t connected_;
  std::vector<Segment> segments_;
  std::vector<Id> free_;
  std::vector<std::vector<std::uint16_t>> source_;
  std::vector<std::vector<std::uint16_t>> permanence_;
  std::uint32_t next_free_ = kChunk;  // of the last chunk
  std::vector<std::uint32_t> free_blocks_[kClasses];
  Id oldest_ = kNone, newest_ = kNone;
  // What follows from the rest.
  std::int64_t count_ = 0, synapse_count_ = 0;
  std::vector<std::uint8_t> of_cell_;                     // segments
  std::vector<std::uint32_t> first_of_, next_of_cell_;    // the segments of a cell, in any order
  std::array<std::uint16_t, kMostSynapses> before_ = {};  // permanences of the segment at hand
  std::vector<std::uint32_t> weakest_;  // of it: permanence and place of what may go
  ListenerIndex listeners_;
};

}  // namespace weft::operators::sequence
