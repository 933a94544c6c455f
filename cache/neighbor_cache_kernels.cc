// Bodies of the neighbour cache. One index is one row, so rows need no atomics and keep log order
// inside.
#include <cstddef>

#include "cache/neighbor_cache.h"
#include "gpu/launch.h"

namespace weft::cache {
namespace {

// The arrays of one row.
struct Row {
  std::uint32_t* key;
  std::uint32_t* ordinal;
  std::uint32_t* count;
  std::int64_t* time_us;
  float* state;
};

WEFT_HD Row RowAt(const RowsView& rows, std::uint32_t row) {
  std::byte* base = rows.base + std::int64_t{row} * rows.layout.stride;
  return {reinterpret_cast<std::uint32_t*>(base),
          reinterpret_cast<std::uint32_t*>(base + rows.layout.ordinal_offset),
          reinterpret_cast<std::uint32_t*>(base + rows.layout.count_offset),
          reinterpret_cast<std::int64_t*>(base + rows.layout.time_offset),
          reinterpret_cast<float*>(base + rows.layout.state_offset)};
}

// What is stored for one neighbour.
struct Entry {
  std::uint32_t key;
  std::uint32_t ordinal;
  std::uint32_t count;
  std::int64_t time_us;
  float state[kStateWidth];
};

WEFT_HD void Store(const Row& row, const RowLayout& layout, std::int32_t slot, const Entry& entry) {
  row.key[slot] = entry.key;
  row.ordinal[slot] = entry.ordinal;
  row.count[slot] = entry.count;
  row.time_us[slot] = entry.time_us;
  for (int f = 0; f < kStateWidth; ++f) row.state[f * layout.slot_count + slot] = entry.state[f];
}

struct Place {
  std::int32_t slot;  // -1: the entry is not admitted
  bool resident;      // the slot already holds the key
};

// `now` is the ordinal of the event that causes the write.
WEFT_HD Place PlaceByHash(const Row& row, const RowLayout& layout, int hop, std::uint32_t key,
                          std::uint32_t now) {
  const auto slots = static_cast<std::uint64_t>(layout.hop_slots[hop]);
  std::uint64_t hash;
  if (layout.rule == SlotRule::kPaper) {
    const std::uint64_t a = key, q = layout.seed % 100;
    hash = a * q + a * a * (q + 1);
  } else {
    hash = gpu::Mix64(key ^ gpu::Mix64(layout.seed));
  }
  const std::int32_t slot = layout.hop_begin[hop] + static_cast<std::int32_t>(hash % slots);
  if (row.key[slot] == key) return {slot, true};
  if (row.key[slot] == kEmptySlot) return {slot, false};
  const std::uint64_t draw = gpu::CounterHash(layout.seed, now, key);
  return {gpu::UnitFloat(draw) < layout.replace_probability ? slot : -1, false};
}

// In the key's set: its own slot, or else the longest inactive one if that is older than `age`.
WEFT_HD Place PlaceByRecency(const Row& row, const RowLayout& layout, int hop, std::uint32_t key,
                             std::uint32_t now, std::uint32_t age) {
  const std::int32_t ways = layout.hop_ways[hop];
  const std::int32_t sets = layout.hop_slots[hop] / ways;
  std::int32_t begin = layout.hop_begin[hop];
  if (sets > 1)
    begin += ways * static_cast<std::int32_t>(gpu::Mix64(key) % static_cast<std::uint64_t>(sets));
  std::int32_t match = -1;
  std::uint32_t oldest = 0;
  for (std::int32_t s = begin; s < begin + ways; ++s) {
    match = row.key[s] == key ? s : match;
    const std::uint32_t slot_age = row.key[s] == kEmptySlot ? 0xffffffffu : now - row.ordinal[s];
    oldest = slot_age > oldest ? slot_age : oldest;
  }
  if (match >= 0) return {now - row.ordinal[match] >= age ? match : -1, true};
  if (oldest <= age) return {-1, false};
  std::int32_t victim = begin;
  for (std::int32_t s = begin + ways - 1; s >= begin; --s) {
    const std::uint32_t slot_age = row.key[s] == kEmptySlot ? 0xffffffffu : now - row.ordinal[s];
    victim = slot_age == oldest ? s : victim;
  }
  return {victim, false};
}

// The place of an entry that was last active `age` events before `now`.
WEFT_HD Place PlaceOf(const Row& row, const RowLayout& layout, int hop, std::uint32_t key,
                      std::uint32_t now, std::uint32_t age) {
  return layout.rule == SlotRule::kRecency ? PlaceByRecency(row, layout, hop, key, now, age)
                                           : PlaceByHash(row, layout, hop, key, now);
}

struct CountSlots {
  ReadArguments a;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::uint32_t* key = RowAt(a.rows, a.row[i]).key;
    std::int32_t occupied = 0;
    for (std::int32_t s = 0; s < a.rows.layout.slot_count; ++s)
      occupied += key[s] != kEmptySlot ? 1 : 0;
    a.begin[i + 1] = occupied;
  }
};

struct ReadSlots {
  ReadArguments a;
  WEFT_HD void operator()(std::int64_t i) const {
    const RowLayout& layout = a.rows.layout;
    const Row row = RowAt(a.rows, a.row[i]);
    std::int64_t to = a.begin[i];
    for (std::int32_t s = 0; s < layout.slot_count; ++s) {
      if (row.key[s] == kEmptySlot) continue;
      a.key[to] = row.key[s];
      a.slot[to] = static_cast<std::uint8_t>(s);
      a.hop[to] = s >= layout.hop_begin[0] ? 0 : s >= layout.hop_begin[2] ? 2 : 1;
      a.time_us[to] = row.time_us[s];
      a.ordinal[to] = row.ordinal[s];
      a.count[to] = row.count[s];
      for (int f = 0; f < kStateWidth; ++f)
        a.state[f * a.state_stride + to] = row.state[f * layout.slot_count + s];
      ++to;
    }
  }
};

struct ObserveRow {
  ObserveArguments a;

  // The entry of `key` at `hop` among those that were read of node `read`, or -1.
  WEFT_HD std::int32_t FindRead(std::int32_t read, int hop, std::uint32_t key) const {
    std::int32_t found = -1;
    for (std::int32_t m = a.reads.begin[read]; m < a.reads.begin[read + 1]; ++m)
      found = a.reads.key[m] == key && a.reads.hop[m] == hop ? m : found;
    return found;
  }

  WEFT_HD void TakeState(Entry& entry, std::int32_t m) const {
    for (int f = 0; f < kStateWidth; ++f)
      entry.state[f] = m < 0 ? 0.0f : a.state[f * a.state_stride + m];
  }

  // Hop 2: the partner's neighbours, as they were read.
  WEFT_HD void TakeSecondHop(const Row& row, std::int32_t partner_read, std::uint32_t now) const {
    const RowLayout& layout = a.rows.layout;
    if (layout.hop_slots[2] == 0) return;
    for (std::int32_t m = a.reads.begin[partner_read]; m < a.reads.begin[partner_read + 1]; ++m) {
      if (a.reads.hop[m] != 1) continue;
      Entry entry{a.reads.key[m], a.reads.ordinal[m], a.reads.count[m], a.reads.time_us[m], {}};
      const Place place = PlaceOf(row, layout, 2, entry.key, now, now - entry.ordinal);
      if (place.slot < 0) continue;
      TakeState(entry, m);
      Store(row, layout, place.slot, entry);
    }
  }

  // Hops 1 and 0: the partner, and the node itself.
  WEFT_HD void TakeNeighbor(const Row& row, int hop, std::uint32_t key, std::int32_t own_read,
                            const Interaction& event) const {
    const RowLayout& layout = a.rows.layout;
    if (layout.hop_slots[hop] == 0) return;
    const Place place = PlaceOf(row, layout, hop, key, event.ordinal, 0);
    if (place.slot < 0) return;
    Entry entry{
        key, event.ordinal, place.resident ? row.count[place.slot] + 1 : 1, event.time_us, {}};
    TakeState(entry, place.resident ? FindRead(own_read, hop, key) : -1);
    Store(row, layout, place.slot, entry);
  }

  WEFT_HD void operator()(std::int64_t t) const {
    const Row row = RowAt(a.rows, a.touch_row[t]);
    for (std::int32_t i = a.touch_begin[t]; i < a.touch_begin[t + 1]; ++i) {
      const std::int32_t number = a.touch_side[i] / 2;
      const bool is_source = a.touch_side[i] % 2 == 0;
      const Interaction event = a.events[number];
      const std::int32_t own = is_source ? a.source_read[number] : a.target_read[number];
      const std::int32_t partner = is_source ? a.target_read[number] : a.source_read[number];
      TakeSecondHop(row, partner, event.ordinal);
      TakeNeighbor(row, 1, is_source ? event.target : event.source, own, event);
      TakeNeighbor(row, 0, is_source ? event.source : event.target, own, event);
    }
  }
};

}  // namespace

template <class E>
void CountSlotsOn(const E& exec, const ReadArguments& arguments) {
  gpu::ForEachIndex(exec, arguments.node_count, CountSlots{arguments});
}

template <class E>
void ReadSlotsOn(const E& exec, const ReadArguments& arguments) {
  gpu::ForEachIndex(exec, arguments.node_count, ReadSlots{arguments});
}

template <class E>
void ObserveRowsOn(const E& exec, const ObserveArguments& arguments) {
  gpu::ForEachIndex(exec, arguments.touch_count, ObserveRow{arguments});
}

template void CountSlotsOn(const gpu::BuildExec&, const ReadArguments&);
template void ReadSlotsOn(const gpu::BuildExec&, const ReadArguments&);
template void ObserveRowsOn(const gpu::BuildExec&, const ObserveArguments&);

}  // namespace weft::cache
