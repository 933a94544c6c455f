#include "operators/sequence/segment_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "gpu/host_device.h"
#include "graph/check.h"
#include "operators/sequence/permanence.h"

namespace weft::operators::sequence {

SegmentStore::SegmentStore(const SegmentLimits& limits, std::uint16_t connected)
    : limits_(limits),
      connected_(connected),
      of_cell_(static_cast<std::size_t>(limits.cells)),
      first_of_(static_cast<std::size_t>(limits.cells), kNone),
      listeners_(limits.cells) {
  WEFT_CHECK(limits.cells <= (std::int64_t{1} << 16));
}

std::size_t SegmentStore::bytes() const {
  const std::size_t bytes =
      segments_.capacity() * sizeof(Segment) + free_.capacity() * sizeof(Id) +
      source_.size() * kChunk * 2 * sizeof(std::uint16_t) + of_cell_.capacity() +
      (first_of_.capacity() + next_of_cell_.capacity()) * sizeof(std::uint32_t);
  return bytes + listeners_.bytes();
}

void SegmentStore::Link(Id id) {
  Segment& segment = segments_[id];
  segment.older = newest_;
  segment.newer = kNone;
  (newest_ == kNone ? oldest_ : segments_[newest_].newer) = id;
  newest_ = id;
}

void SegmentStore::Unlink(Id id) {
  const Segment& segment = segments_[id];
  (segment.older == kNone ? oldest_ : segments_[segment.older].newer) = segment.newer;
  (segment.newer == kNone ? newest_ : segments_[segment.newer].older) = segment.older;
}

void SegmentStore::Touch(Id id, std::uint32_t step) {
  segments_[id].last_step = step;
  if (newest_ == id) return;
  Unlink(id);
  Link(id);
}

SegmentStore::Id SegmentStore::Create(std::uint32_t cell, std::uint32_t step) {
  if (of_cell_[cell] >= limits_.segments_of_cell) {
    Id idle = first_of_[cell];
    for (Id id = idle; id != kNone; id = next_of_cell_[id])
      if (std::pair(segments_[id].last_step, id) < std::pair(segments_[idle].last_step, idle))
        idle = id;
    Destroy(idle);
  }
  if (count_ >= limits_.segments) Destroy(oldest_);
  Id id;
  if (free_.empty()) {
    id = static_cast<Id>(segments_.size());
    AddPlace();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Segment& segment = segments_[id];
  segment = {};
  segment.cell = static_cast<std::uint16_t>(cell);
  segment.size_class = 2;
  segment.begin = Allocate(segment.size_class);
  segment.last_step = step;
  next_of_cell_[id] = std::exchange(first_of_[cell], id);
  ++of_cell_[cell];
  Link(id);
  ++count_;
  return id;
}

void SegmentStore::AddPlace() {
  // An eighth more at a time.
  const std::size_t size = segments_.size();
  if (size == segments_.capacity()) {
    segments_.reserve(size + size / 8 + 16);
    next_of_cell_.reserve(segments_.capacity());
  }
  segments_.emplace_back();
  next_of_cell_.push_back(kNone);
}

void SegmentStore::Destroy(Id id) {
  listeners_.Prefetch(Sources(id), id);
  while (segments_[id].size > 0) RemoveSynapse(id, segments_[id].size - 1);
  Segment& segment = segments_[id];
  Id* link = &first_of_[segment.cell];
  while (*link != id) link = &next_of_cell_[*link];
  *link = next_of_cell_[id];
  --of_cell_[segment.cell];
  Unlink(id);
  free_blocks_[segment.size_class].push_back(segment.begin);
  segment = {};
  free_.push_back(id);
  --count_;
}

std::uint32_t SegmentStore::Allocate(std::uint32_t size_class) {
  auto& free = free_blocks_[size_class];
  if (!free.empty()) {
    const std::uint32_t begin = free.back();
    free.pop_back();
    return begin;
  }
  if (next_free_ + Capacity(size_class) > kChunk) {
    source_.emplace_back(kChunk);
    permanence_.emplace_back(kChunk);
    next_free_ = 0;
  }
  const auto begin = static_cast<std::uint32_t>(source_.size() - 1) * kChunk + next_free_;
  next_free_ += Capacity(size_class);
  return begin;
}

void SegmentStore::Grow(Segment& segment) {
  const std::uint32_t begin = Allocate(segment.size_class + 1u);
  std::copy_n(SourceAt(segment.begin), segment.size, SourceAt(begin));
  std::copy_n(PermanenceAt(segment.begin), segment.size, PermanenceAt(begin));
  free_blocks_[segment.size_class].push_back(segment.begin);
  ++segment.size_class;
  segment.begin = begin;
}

void SegmentStore::AddSynapse(Id id, std::uint32_t source, std::uint16_t permanence) {
  Segment& segment = segments_[id];
  if (segment.size == Capacity(segment.size_class)) Grow(segment);
  SourceAt(segment.begin)[segment.size] = static_cast<std::uint16_t>(source);
  PermanenceAt(segment.begin)[segment.size] = permanence;
  ++segment.size;
  ++synapse_count_;
  listeners_.Add(source, id, permanence >= connected_);
}

void SegmentStore::RemoveSynapse(Id id, std::uint32_t place) {
  Segment& segment = segments_[id];
  std::uint16_t* const source = SourceAt(segment.begin);
  std::uint16_t* const permanence = PermanenceAt(segment.begin);
  listeners_.Remove(source[place], id);
  --segment.size;
  source[place] = source[segment.size];
  permanence[place] = permanence[segment.size];
  --synapse_count_;
}

void SegmentStore::Adapt(Id id, std::int32_t up, std::int32_t down,
                         std::span<const std::uint32_t> on) {
  const Segment& segment = segments_[id];
  const std::uint32_t size = segment.size;
  std::uint16_t* const permanence = PermanenceAt(segment.begin);
  const std::uint16_t* const source = SourceAt(segment.begin);
  std::uint16_t* const kept = before_.data();
  std::array<std::int16_t, kMostSynapses> is_on;
  gpu::BitsAt(on.data(), source, size, is_on.data());  // blocks hold eights
  // Without branches and in sixteen bits, which whole permanences and steps fit twice: what is
  // seldom is settled afterwards.
  const auto wider = static_cast<std::int16_t>(up - down), less = static_cast<std::int16_t>(down);
  const auto connected = static_cast<std::int16_t>(connected_);
  constexpr auto kWhole = static_cast<std::int16_t>(kWholePermanence);
  std::int16_t changed = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto before = static_cast<std::int16_t>(permanence[i]);
    kept[i] = permanence[i];
    auto after = static_cast<std::int16_t>(before + less + is_on[i] * wider);
    after = after > kWhole ? kWhole : after;
    after = after < 0 ? std::int16_t{0} : after;
    permanence[i] = static_cast<std::uint16_t>(after);
    changed = static_cast<std::int16_t>(changed | ((before - connected) ^ (after - connected)) |
                                        (after - 1));
  }
  if (changed < 0) Settle(id);
}

// After some have come to 0, or across the threshold.
void SegmentStore::Settle(Id id) {
  const std::uint16_t* const source = SourceAt(segments_[id].begin);
  const std::uint16_t* const permanence = PermanenceAt(segments_[id].begin);
  listeners_.Prefetch(Sources(id), id);
  for (std::uint32_t i = segments_[id].size; i-- > 0;) {
    if (permanence[i] == 0) {
      RemoveSynapse(id, i);
    } else if ((before_[i] >= connected_) != (permanence[i] >= connected_)) {
      listeners_.SetConnected(source[i], id, permanence[i] >= connected_);
    }
  }
}

void SegmentStore::MakeRoom(Id id, std::int32_t count, std::uint16_t strong,
                            std::span<const std::uint32_t> on) {
  const std::uint32_t size = segments_[id].size;
  const auto most = static_cast<std::uint32_t>(limits_.synapses_of_segment - count);
  if (size <= most) return;
  const std::uint16_t* const source = SourceAt(segments_[id].begin);
  const std::uint16_t* const permanence = PermanenceAt(segments_[id].begin);
  weakest_.clear();
  for (std::uint32_t i = 0; i < size; ++i)
    if (permanence[i] < strong && (on[source[i] / 32] >> (source[i] % 32) & 1) == 0)
      weakest_.push_back(std::uint32_t{permanence[i]} << 16 | i);
  if (const std::size_t excess = size - most; excess < weakest_.size()) {
    std::ranges::nth_element(weakest_, weakest_.begin() + static_cast<std::ptrdiff_t>(excess));
    weakest_.resize(excess);
  }
  // The last place first, so that those that are left to go stay where they are.
  for (std::uint32_t& one : weakest_) one &= 0xffff;
  std::ranges::sort(weakest_, std::ranges::greater());
  for (const std::uint32_t place : weakest_) RemoveSynapse(id, place);
}

bool SegmentStore::Reindex() {
  for (const auto& chunk : source_)
    if (chunk.size() != kChunk) return false;
  for (const auto& chunk : permanence_)
    if (chunk.size() != kChunk) return false;
  count_ = synapse_count_ = 0;
  std::ranges::fill(of_cell_, std::uint8_t{0});
  std::ranges::fill(first_of_, kNone);
  listeners_.Clear();
  const auto places = static_cast<std::uint32_t>(segments_.size());
  next_of_cell_.assign(places, kNone);
  for (Id id = places; id-- > 0;) {
    Segment& segment = segments_[id];
    if (segment.size_class == kFree) continue;
    const bool fits = segment.cell < of_cell_.size() && segment.size_class < kClasses &&
                      segment.size <= Capacity(segment.size_class) &&
                      segment.begin + std::uint64_t{Capacity(segment.size_class)} <=
                          source_.size() * std::uint64_t{kChunk};
    if (!fits || permanence_.size() != source_.size()) return false;
    next_of_cell_[id] = std::exchange(first_of_[segment.cell], id);
    ++of_cell_[segment.cell];
    ++count_;
    for (std::uint32_t i = 0; i < segment.size; ++i) {
      const std::uint32_t source = SourceAt(segment.begin)[i];
      if (source >= of_cell_.size()) return false;
      listeners_.Add(source, id, PermanenceAt(segment.begin)[i] >= connected_);
    }
    synapse_count_ += segment.size;
  }
  return true;
}

}  // namespace weft::operators::sequence
