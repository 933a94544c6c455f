// PartnerTable: for every node a row (partner_row.h) with its recent partners, what passed between
// them, and what tends to follow it. Memory is bounded by the options; the least recently active
// rows make room. 2 KB a node with 16 partners.
//
// The table gives out rows and keeps them; events are taken in by kernels (partner_observe.h),
// because whoever scores reads between two events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cache/partner_observe.h"
#include "cache/row_index.h"
#include "gpu/buffer.h"
#include "gpu/memory.h"

namespace weft::cache {

struct PartnerTableOptions {
  std::int64_t max_nodes = 1 << 20;
  std::int32_t slots = 16;          // partners of a node: a multiple of 8, from 8 to 64
  std::int32_t before_rows = 1024;  // rows that a group can change and still be read as before it
};

// Whether rows can have so many partners.
constexpr bool IsPartnerSlotCount(std::int64_t slots) {
  return slots >= 8 && slots <= kMaxPartnerSlots && slots % 8 == 0;
}

// Thread-compatible. Host access waits for nothing: gpu::Synchronize first.
class PartnerTable {
 public:
  // `memory` is what the Execs of the kernels can reach.
  explicit PartnerTable(const PartnerTableOptions& options,
                        gpu::Memory memory = gpu::Memory::kHost);

  std::int64_t row_bytes() const { return row_bytes_; }
  std::int32_t slots() const { return options_.slots; }
  const RowIndex& nodes() const { return index_; }

  // The rows of an event's two nodes, which become the most recently active. Must be called for
  // each event in log order, and ObserveEvent then runs for each in the same order.
  PartnerEvent Admit(std::uint32_t source, std::uint32_t target, std::int64_t time_us);

  // Valid until the next Admit.
  PartnerRows rows();
  PartnerStream& stream() { return stream_[0]; }
  const PartnerStream& stream() const { return stream_[0]; }
  // Asks for the cache lines of a node's row. Host only.
  void PrefetchRow(std::uint32_t row) const {
    gpu::Prefetch(rows_.data() + row * row_bytes_, row_bytes_);
  }

  void Clear();

  // For checkpoints: rows 1 .. nodes().size(), and the copies of the group at hand.
  std::span<const std::byte> used_rows() const;
  std::span<const std::byte> used_before() const;
  RowIndex& mutable_nodes() { return index_; }
  // Room for what these gave.
  std::span<std::byte> MakeRows(std::int64_t row_count);
  std::span<std::byte> MakeBefore(std::int64_t row_count);

 private:
  void Grow(std::int64_t row_count);
  // Rows from this one on are nobody's: a zero would be the node 0.
  void MarkUnused(std::int64_t first_row);

  PartnerTableOptions options_;
  std::int64_t row_bytes_;
  RowIndex index_;
  gpu::Buffer<std::byte> rows_;
  gpu::Buffer<std::byte> before_;
  gpu::Buffer<PartnerStream> stream_;  // one
};

}  // namespace weft::cache
