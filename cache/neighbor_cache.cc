#include "cache/neighbor_cache.h"

#include <algorithm>
#include <cstring>

#include "gpu/host_device.h"

namespace weft::cache {
namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t RoundUp(std::int64_t bytes, std::int64_t to) { return (bytes + to - 1) / to * to; }

RowLayout LayoutOf(const NeighborCacheOptions& options) {
  RowLayout layout;
  for (const int hop : {1, 2, 0}) {
    layout.hop_begin[hop] = layout.slot_count;
    layout.hop_slots[hop] = options.slots[hop];
    layout.hop_ways[hop] = std::max(1, options.ways[hop]);
    layout.hop_sets[hop] = options.slots[hop] / layout.hop_ways[hop];
    layout.slot_count += options.slots[hop];
  }
  const std::int64_t word = std::int64_t{4} * layout.slot_count;
  layout.ordinal_offset = static_cast<std::int32_t>(word);
  layout.count_offset = static_cast<std::int32_t>(2 * word);
  layout.time_offset = static_cast<std::int32_t>(RoundUp(3 * word, 8));
  layout.state_offset = layout.time_offset + static_cast<std::int32_t>(2 * word);
  layout.stride = RoundUp(layout.state_offset + kStateWidth * word, kAlignment);
  layout.rule = options.rule;
  layout.replace_probability = options.replace_probability;
  layout.seed = options.seed;
  return layout;
}

}  // namespace

NeighborCache::NeighborCache(const NeighborCacheOptions& options, std::int64_t max_batch_nodes,
                             gpu::Memory memory)
    : layout_(LayoutOf(options)),
      index_(options.max_nodes),
      rows_(0, memory),
      read_row_(0, memory),
      occupied_(0, memory),
      begin_(0, memory),
      hop_end_(0, memory),
      key_(0, memory),
      ordinal_(0, memory),
      count_(0, memory),
      time_us_(0, memory),
      state_(0, memory),
      touch_side_(0, memory),
      touch_begin_(0, memory),
      touch_row_(0, memory) {
  const std::int64_t entries = max_batch_nodes * layout_.slot_count;
  read_row_.Allocate(max_batch_nodes);
  occupied_.Allocate(kHops * max_batch_nodes);
  begin_.Allocate(max_batch_nodes + 1);
  hop_end_.Allocate(2 * max_batch_nodes);
  key_.Allocate(entries + gpu::kReadPadding);
  time_us_.Allocate(entries);
  ordinal_.Allocate(entries);
  count_.Allocate(entries);
  state_.Allocate(kStateWidth * key_.size());
  Clear();
}

void NeighborCache::Clear() {
  index_.Clear();
  MakeRows(0);
}

std::span<std::byte> NeighborCache::MakeRows(std::int64_t row_count) {
  const std::int64_t rows =
      std::max<std::int64_t>(row_count, std::min<std::int64_t>(index_.max_rows(), 255)) + 1;
  rows_.Allocate(rows * layout_.stride);
  row_touch_.Allocate(rows);
  ClearRow(kNoRow);
  return rows_.span().subspan(static_cast<std::size_t>(layout_.stride),
                              static_cast<std::size_t>(row_count * layout_.stride));
}

std::span<const std::byte> NeighborCache::used_rows() const {
  return rows_.span().subspan(static_cast<std::size_t>(layout_.stride),
                              static_cast<std::size_t>(index_.size() * layout_.stride));
}

void NeighborCache::ClearRow(std::uint32_t row) {
  if (row >= row_touch_.size()) {
    const std::int64_t rows = std::min(index_.max_rows() + 1, 2 * row_touch_.size());
    rows_.Grow(rows * layout_.stride);
    row_touch_.Grow(rows);
  }
  std::byte* base = rows_.data() + std::int64_t{row} * layout_.stride;
  std::memset(base, 0, static_cast<std::size_t>(layout_.stride));
  std::memset(base, 0xff, static_cast<std::size_t>(layout_.ordinal_offset));  // kEmptySlot
}

const NeighborReads& NeighborCache::Read(const gpu::Exec& exec,
                                         std::span<const std::uint32_t> nodes) {
  const auto node_count = static_cast<std::int64_t>(nodes.size());
  const bool on_host = std::holds_alternative<gpu::HostExec>(exec);
  for (std::int64_t i = 0; i < node_count; ++i) {
    read_row_[i] = index_.Find(nodes[static_cast<std::size_t>(i)]);
    // All rows of a batch are on their way before the first is looked at.
    if (on_host) gpu::Prefetch(rows_.data() + read_row_[i] * layout_.stride, layout_.stride);
  }
  const std::int64_t state_stride = key_.size();
  const ReadArguments arguments{.rows = view(),
                                .row = read_row_.data(),
                                .node_count = node_count,
                                .occupied = occupied_.data(),
                                .begin = begin_.data(),
                                .hop_end = hop_end_.data(),
                                .key = key_.data(),
                                .time_us = time_us_.data(),
                                .ordinal = ordinal_.data(),
                                .count = count_.data(),
                                .state = state_.data(),
                                .state_stride = state_stride};
  std::visit([&](const auto& e) { FindOccupiedOn(e, arguments); }, exec);
  gpu::Synchronize(exec);
  begin_[0] = 0;
  for (std::int64_t i = 0; i < node_count; ++i) begin_[i + 1] += begin_[i];
  std::visit([&](const auto& e) { ReadSlotsOn(e, arguments); }, exec);
  gpu::Synchronize(exec);
  reads_ = {.node_count = static_cast<std::int32_t>(node_count),
            .entry_count = begin_[node_count],
            .begin = begin_.data(),
            .hop_end = hop_end_.data(),
            .key = key_.data(),
            .time_us = time_us_.data(),
            .ordinal = ordinal_.data(),
            .count = count_.data(),
            .state = state_.data(),
            .state_stride = state_stride};
  return reads_;
}

void NeighborCache::BeginObserve(std::size_t event_count) {
  const auto sides = static_cast<std::int64_t>(2 * event_count);
  if (side_row_.size() < sides) {
    side_row_.Allocate(sides);
    touch_row_.Allocate(sides);
    touch_side_.Allocate(sides);
    touch_begin_.Allocate(sides + 1);
    touch_fill_.Allocate(sides);
  }
  touch_count_ = 0;
}

void NeighborCache::AddTouch(std::uint32_t row, std::int32_t side) {
  side_row_[side] = row;
  if (row_touch_[row] == 0) {
    touch_row_[touch_count_] = row;
    touch_fill_[touch_count_] = 0;
    row_touch_[row] = ++touch_count_;
  }
  ++touch_fill_[row_touch_[row] - 1];
}

void NeighborCache::FinishObserve(const gpu::Exec& exec, std::span<const Interaction> events,
                                  std::span<const std::int32_t> source_read,
                                  std::span<const std::int32_t> target_read, const float* state,
                                  std::int64_t state_stride) {
  touch_begin_[0] = 0;
  for (std::int32_t t = 0; t < touch_count_; ++t) {
    touch_begin_[t + 1] = touch_begin_[t] + touch_fill_[t];
    touch_fill_[t] = touch_begin_[t];
  }
  for (std::int32_t side = 0; side < static_cast<std::int32_t>(2 * events.size()); ++side)
    touch_side_[touch_fill_[row_touch_[side_row_[side]] - 1]++] = side;
  for (std::int32_t t = 0; t < touch_count_; ++t) row_touch_[touch_row_[t]] = 0;
  const ObserveArguments arguments{view(),
                                   reads_,
                                   state,
                                   state_stride,
                                   events.data(),
                                   source_read.data(),
                                   target_read.data(),
                                   touch_count_,
                                   touch_row_.data(),
                                   touch_begin_.data(),
                                   touch_side_.data()};
  std::visit([&](const auto& e) { ObserveRowsOn(e, arguments); }, exec);
}

}  // namespace weft::cache
