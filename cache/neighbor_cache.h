// NeighborCache: the N-caches of NAT (Luo and Li, "Neighborhood-aware Scalable Temporal Network
// Representation Learning", LoG 2022): for every node its recent neighbours at hops 0, 1 and 2,
// each with a small state vector, in a row of fixed size. Memory is bounded by the options; the
// least recently active rows make room.
//
// Reads and writes are batched. A batch is read as a whole (Read), then its events are taken in
// (Observe). Within Observe each row applies its events in log order, and the values that travel
// between rows are those that Read returned, so the result depends neither on threads nor on the
// device.
#pragma once

#include <cstdint>
#include <span>

#include "cache/row_index.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"

namespace weft::cache {

inline constexpr std::uint32_t kEmptySlot = 0xffffffffu;
inline constexpr int kHops = 3;        // hops 0, 1 and 2
inline constexpr int kStateWidth = 4;  // F of the paper: floats of state in a slot

// Which slot a neighbour takes, and whom it displaces there.
enum class SlotRule : std::uint8_t {
  // Slot (a q + a^2 (q + 1)) mod slots of neighbour a, q = seed mod 100; a resident with another
  // key is overwritten with
  // probability `replace_probability`. The paper's code; for an even q most slots are never used.
  kPaper,
  // The same with a mixing hash instead of the polynomial.
  kMixingHash,
  // Sets of `ways` slots chosen by a mixing hash; in its set a neighbour displaces the longest
  // inactive one.
  kRecency,
};

struct NeighborCacheOptions {
  std::int64_t max_nodes = 1 << 20;  // rows; at least 1024
  std::int32_t slots[kHops] = {
      1, 32, 16};  // hop 0 has exactly 1; hops 1 and 2 up to 64, 0 leaves the hop out
  SlotRule rule = SlotRule::kRecency;
  std::int32_t ways[kHops] = {1, 32, 4};  // kRecency: slots of a set, a divisor of slots
  float replace_probability = 0.7f;       // kPaper, kMixingHash
  std::uint64_t seed = 2;
};

// Where the parts of a row are. Rows are `stride` bytes apart and 64-byte aligned; slots of hop 1
// come first, then hop 2, then hop 0.
struct RowLayout {
  std::int32_t slot_count = 0;         // of all hops
  std::int32_t hop_begin[kHops] = {};  // first slot of a hop
  std::int32_t hop_slots[kHops] = {};
  std::int32_t hop_ways[kHops] = {};
  std::int32_t hop_sets[kHops] = {};  // slots / ways
  std::int32_t ordinal_offset = 0;    // bytes from the row's start; keys are at 0
  std::int32_t count_offset = 0;
  std::int32_t time_offset = 0;
  std::int32_t state_offset = 0;  // kStateWidth arrays of slot_count floats
  std::int64_t stride = 0;
  SlotRule rule = SlotRule::kRecency;
  float replace_probability = 0.0f;
  std::uint64_t seed = 0;
};

// What kernels see of the rows.
struct RowsView {
  std::byte* base;
  RowLayout layout;
};

// One interaction. `ordinal` is its place in the stream, counted from 1, modulo 2^32.
struct Interaction {
  std::uint32_t source;
  std::uint32_t target;
  std::int64_t time_us;
  std::uint32_t ordinal;
};

// The occupied slots of the nodes of a batch, compacted: entries [begin[i], begin[i + 1]) are those
// of the i-th node, first its hop 1, then hop 2 from hop_end[2 i] on, then hop 0 from
// hop_end[2 i + 1] on; within a hop by rising slot. Borrowed; valid until the next Read.
struct NeighborReads {
  std::int32_t node_count = 0;
  std::int32_t entry_count = 0;
  const std::int32_t* begin = nullptr;    // node_count + 1
  const std::int32_t* hop_end = nullptr;  // 2 a node: of its hops 1 and 2
  const std::uint32_t* key = nullptr;     // the neighbour
  const std::int64_t* time_us = nullptr;  // of the last interaction with it
  const std::uint32_t* ordinal = nullptr;
  const std::uint32_t* count = nullptr;  // interactions since it entered
  const float* state = nullptr;          // kStateWidth arrays, state_stride apart
  std::int64_t state_stride = 0;
};

class NeighborCache {
 public:
  // `max_batch_nodes` bounds the nodes of one Read. `memory` is what the Execs of the calls can
  // reach.
  NeighborCache(const NeighborCacheOptions& options, std::int64_t max_batch_nodes,
                gpu::Memory memory = gpu::Memory::kHost);

  // Bytes of one row. Memory in use is (rows in use) * row_bytes, growing by doubling up to
  // max_nodes.
  std::int64_t row_bytes() const { return layout_.stride; }
  const RowIndex& rows() const { return index_; }
  const RowLayout& layout() const { return layout_; }

  // Reads the rows of distinct nodes. Nodes without a row have no entries.
  const NeighborReads& Read(const gpu::Exec& exec, std::span<const std::uint32_t> nodes);

  // Takes a batch in, after Read of all its end points: source_read[i] and target_read[i] are their
  // numbers in that Read, and `state` is what is stored for each of its entries: kStateWidth
  // arrays, state_stride apart. `admitted` is called with (row, fresh) for the two rows of each
  // event, source first, in log order, before anything is written.
  template <class Admitted>
  void Observe(const gpu::Exec& exec, std::span<const Interaction> events,
               std::span<const std::int32_t> source_read, std::span<const std::int32_t> target_read,
               const float* state, std::int64_t state_stride, Admitted admitted) {
    BeginObserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      for (const bool source : {true, false}) {
        const RowIndex::Admission admission =
            index_.Admit(source ? events[i].source : events[i].target);
        if (admission.fresh) ClearRow(admission.row);
        AddTouch(admission.row, static_cast<std::int32_t>(2 * i + (source ? 0 : 1)));
        admitted(admission.row, admission.fresh);
      }
    }
    FinishObserve(exec, events, source_read, target_read, state, state_stride);
  }

  void Clear();

  // The rows in use as bytes, for checkpoints; `Restore` takes the same sizes.
  std::span<const std::byte> used_rows() const;
  RowIndex& mutable_rows() { return index_; }
  std::span<std::byte> MakeRows(std::int64_t row_count);

 private:
  void BeginObserve(std::size_t event_count);
  void AddTouch(std::uint32_t row, std::int32_t side);
  void ClearRow(std::uint32_t row);
  void FinishObserve(const gpu::Exec& exec, std::span<const Interaction> events,
                     std::span<const std::int32_t> source_read,
                     std::span<const std::int32_t> target_read, const float* state,
                     std::int64_t state_stride);
  RowsView view() { return {rows_.data(), layout_}; }

  RowLayout layout_;
  RowIndex index_;
  gpu::Buffer<std::byte> rows_;

  // Of the last Read.
  NeighborReads reads_;
  gpu::Buffer<std::uint32_t> read_row_;
  gpu::Buffer<std::uint64_t> occupied_;
  gpu::Buffer<std::int32_t> begin_, hop_end_;
  gpu::Buffer<std::uint32_t> key_, ordinal_, count_;
  gpu::Buffer<std::int64_t> time_us_;
  gpu::Buffer<float> state_;

  // Of the Observe at hand: the sides (2 * event, + 1 for the target's side) of each touched row,
  // in log order.
  gpu::Buffer<std::int32_t> touch_side_, touch_begin_, touch_fill_;
  gpu::Buffer<std::uint32_t> touch_row_, side_row_;
  gpu::Buffer<std::int32_t> row_touch_;  // by row: number in touch_row_ + 1, 0 outside Observe
  std::int32_t touch_count_ = 0;
};

// ------------------------------------------------------------------------------------------------
// kernels

struct ReadArguments {
  RowsView rows;
  const std::uint32_t* row;  // of each node read
  std::int64_t node_count;
  std::uint64_t* occupied;  // kHops a node; bit s: slot s of the hop holds a neighbour
  std::int32_t* begin;
  std::int32_t* hop_end;
  std::uint32_t* key;
  std::int64_t* time_us;
  std::uint32_t* ordinal;
  std::uint32_t* count;
  float* state;
  std::int64_t state_stride;
};

struct ObserveArguments {
  RowsView rows;
  NeighborReads reads;
  const float* state;
  std::int64_t state_stride;
  const Interaction* events;
  const std::int32_t* source_read;
  const std::int32_t* target_read;
  std::int64_t touch_count;
  const std::uint32_t* touch_row;
  const std::int32_t* touch_begin;  // touch_count + 1
  const std::int32_t* touch_side;
};

// Writes `occupied`, and begin[i + 1] = the number of occupied slots of row[i]; the caller makes
// that a running sum.
template <class E>
void FindOccupiedOn(const E& exec, const ReadArguments& arguments);
template <class E>
void ReadSlotsOn(const E& exec, const ReadArguments& arguments);
template <class E>
void ObserveRowsOn(const E& exec, const ObserveArguments& arguments);

}  // namespace weft::cache
