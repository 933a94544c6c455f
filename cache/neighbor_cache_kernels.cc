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

// The next three place an entry of `key` that was last active `age` events before `now` in a set of
// slots: its own slot, or else the longest inactive one if that is older than `age`.
WEFT_HD Place PlaceInSet(const std::uint32_t* keys, const std::uint32_t* ordinals,
                         std::int32_t ways, std::uint32_t key, std::uint32_t now,
                         std::uint32_t age) {
  const std::uint64_t match = gpu::EqualMask(keys, ways, key);
  if (match != 0) {
    const std::int32_t slot = gpu::LowestBit(match);
    return {now - ordinals[slot] >= age ? slot : -1, true};
  }
  std::uint32_t oldest = 0;
  for (std::int32_t s = 0; s < ways; ++s) {
    const std::uint32_t slot_age = keys[s] == kEmptySlot ? 0xffffffffu : now - ordinals[s];
    oldest = slot_age > oldest ? slot_age : oldest;
  }
  if (oldest <= age) return {-1, false};
  std::int32_t victim = ways;
  for (std::int32_t s = 0; s < ways; ++s) {
    const std::uint32_t slot_age = keys[s] == kEmptySlot ? 0xffffffffu : now - ordinals[s];
    const std::int32_t candidate = slot_age == oldest ? s : ways;
    victim = candidate < victim ? candidate : victim;
  }
  return {victim, false};
}

// A set of four is what hop 2 looks at up to 64 times an event.
WEFT_HD Place PlaceInFour(const std::uint32_t* keys, const std::uint32_t* ordinals,
                          std::uint32_t key, std::uint32_t now, std::uint32_t age) {
#if defined(__AVX2__) && !defined(__CUDACC__)
  const __m128i key_lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys));
  const __m128i ordinal_lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ordinals));
  const auto lanes_equal = [](__m128i a, __m128i b) {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(a, b))));
  };
  const unsigned match = lanes_equal(key_lanes, _mm_set1_epi32(static_cast<int>(key)));
  if (match != 0) {
    const std::int32_t slot = gpu::LowestBit(match);
    return {now - ordinals[slot] >= age ? slot : -1, true};
  }
  // An empty slot is older than anything.
  const __m128i ages =
      _mm_or_si128(_mm_sub_epi32(_mm_set1_epi32(static_cast<int>(now)), ordinal_lanes),
                   _mm_cmpeq_epi32(key_lanes, _mm_set1_epi32(-1)));
  __m128i oldest = _mm_max_epu32(ages, _mm_shuffle_epi32(ages, _MM_SHUFFLE(1, 0, 3, 2)));
  oldest = _mm_max_epu32(oldest, _mm_shuffle_epi32(oldest, _MM_SHUFFLE(2, 3, 0, 1)));
  if (static_cast<std::uint32_t>(_mm_cvtsi128_si32(oldest)) <= age) return {-1, false};
  return {gpu::LowestBit(lanes_equal(ages, oldest)), false};
#else
  return PlaceInSet(keys, ordinals, 4, key, now, age);
#endif
}

WEFT_HD Place PlaceByRecency(const Row& row, const RowLayout& layout, int hop, std::uint32_t key,
                             std::uint32_t now, std::uint32_t age) {
  const std::int32_t ways = layout.hop_ways[hop];
  const std::uint64_t sets = static_cast<std::uint64_t>(layout.hop_sets[hop]);
  const std::int32_t begin =
      layout.hop_begin[hop] + ways * static_cast<std::int32_t>(gpu::Mix32(key) * sets >> 32);
  const std::uint32_t* keys = row.key + begin;
  const std::uint32_t* ordinals = row.ordinal + begin;
  Place place = ways == 4 ? PlaceInFour(keys, ordinals, key, now, age)
                          : PlaceInSet(keys, ordinals, ways, key, now, age);
  if (place.slot >= 0) place.slot += begin;
  return place;
}

// The place of an entry that was last active `age` events before `now`.
WEFT_HD Place PlaceOf(const Row& row, const RowLayout& layout, int hop, std::uint32_t key,
                      std::uint32_t now, std::uint32_t age) {
  return layout.rule == SlotRule::kRecency ? PlaceByRecency(row, layout, hop, key, now, age)
                                           : PlaceByHash(row, layout, hop, key, now);
}

struct FindOccupied {
  ReadArguments a;
  WEFT_HD void operator()(std::int64_t i) const {
    const RowLayout& layout = a.rows.layout;
    const std::uint32_t* key = RowAt(a.rows, a.row[i]).key;
    std::int32_t count = 0;
    for (int hop = 0; hop < kHops; ++hop) {
      const std::int32_t slots = layout.hop_slots[hop];
      const std::uint64_t occupied =
          gpu::LowBits(slots) & ~gpu::EqualMask(key + layout.hop_begin[hop], slots, kEmptySlot);
      a.occupied[i * kHops + hop] = occupied;
      count += gpu::PopCount(occupied);
    }
    a.begin[i + 1] = count;
  }
};

struct ReadSlots {
  ReadArguments a;

  // Slots [slot, slot + count), all of them occupied, become the entries from `to` on.
  template <class Tile>
  WEFT_HD void CopyRun(const Tile& tile, const Row& row, std::int64_t slot, std::int64_t to,
                       std::int64_t count) const {
    const ReadArguments& r = a;
    tile.Each(count, [=](std::int64_t k) { r.key[to + k] = row.key[slot + k]; });
    tile.Each(count, [=](std::int64_t k) { r.time_us[to + k] = row.time_us[slot + k]; });
    tile.Each(count, [=](std::int64_t k) { r.ordinal[to + k] = row.ordinal[slot + k]; });
    tile.Each(count, [=](std::int64_t k) { r.count[to + k] = row.count[slot + k]; });
    for (int f = 0; f < kStateWidth; ++f) {
      const float* from = row.state + f * r.rows.layout.slot_count + slot;
      float* state = r.state + f * r.state_stride + to;
      tile.Each(count, [=](std::int64_t k) { state[k] = from[k]; });
    }
  }

  template <class Tile>
  WEFT_HD void CopyHop(const Tile& tile, const Row& row, int hop, std::uint64_t occupied,
                       std::int64_t to) const {
    const std::int64_t first = a.rows.layout.hop_begin[hop];
    if ((occupied & (occupied + 1)) == 0)  // no hole below the last
      return CopyRun(tile, row, first, to, gpu::PopCount(occupied));
    const ReadArguments& r = a;
    tile.Each(r.rows.layout.hop_slots[hop], [=](std::int64_t s) {
      if ((occupied >> s & 1) == 0) return;
      const std::int64_t entry = to + gpu::PopCount(occupied & ((std::uint64_t{1} << s) - 1));
      r.key[entry] = row.key[first + s];
      r.time_us[entry] = row.time_us[first + s];
      r.ordinal[entry] = row.ordinal[first + s];
      r.count[entry] = row.count[first + s];
      for (int f = 0; f < kStateWidth; ++f)
        r.state[f * r.state_stride + entry] = row.state[f * r.rows.layout.slot_count + first + s];
    });
  }

  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const Row row = RowAt(a.rows, a.row[i]);
    const std::uint64_t* occupied = a.occupied + i * kHops;
    const std::int32_t begin = a.begin[i], count = a.begin[i + 1] - begin;
    const std::int32_t first_end = begin + gpu::PopCount(occupied[1]);
    const std::int32_t second_end = first_end + gpu::PopCount(occupied[2]);
    std::int32_t* hop_end = a.hop_end + 2 * i;
    tile.Once([=] {
      hop_end[0] = first_end;
      hop_end[1] = second_end;
    });
    if (count == a.rows.layout.slot_count) return CopyRun(tile, row, 0, begin, count);
    CopyHop(tile, row, 1, occupied[1], begin);
    CopyHop(tile, row, 2, occupied[2], first_end);
    CopyHop(tile, row, 0, occupied[0], second_end);
  }
};

struct ObserveRow {
  ObserveArguments a;

  // The entry of `key` at `hop`, which is 1 or 0, among those that were read of node `read`, or -1.
  WEFT_HD std::int32_t FindRead(std::int32_t read, int hop, std::uint32_t key) const {
    const std::int32_t begin = hop == 1 ? a.reads.begin[read] : a.reads.hop_end[2 * read + 1];
    const std::int32_t end = hop == 1 ? a.reads.hop_end[2 * read] : a.reads.begin[read + 1];
    const std::uint64_t found = gpu::EqualMask(a.reads.key + begin, end - begin, key);
    return found == 0 ? -1 : begin + gpu::LowestBit(found);
  }

  WEFT_HD void TakeState(Entry& entry, std::int32_t m) const {
    for (int f = 0; f < kStateWidth; ++f)
      entry.state[f] = m < 0 ? 0.0f : a.state[f * a.state_stride + m];
  }

  // Hop 2: the partner's neighbours, as they were read.
  WEFT_HD void TakeSecondHop(const Row& row, std::int32_t partner_read, std::uint32_t now) const {
    const RowLayout layout = a.rows.layout;
    if (layout.hop_slots[2] == 0) return;
    const std::int32_t end = a.reads.hop_end[2 * partner_read];
    for (std::int32_t m = a.reads.begin[partner_read]; m < end; ++m) {
      const std::uint32_t key = a.reads.key[m], ordinal = a.reads.ordinal[m];
      const Place place = PlaceOf(row, layout, 2, key, now, now - ordinal);
      if (place.slot < 0) continue;
      Entry entry{key, ordinal, a.reads.count[m], a.reads.time_us[m], {}};
      TakeState(entry, m);
      Store(row, layout, place.slot, entry);
    }
  }

  // Hop 1: the partner. Hop 0: the node itself, in the only slot that there is.
  WEFT_HD void TakeNeighbor(const Row& row, int hop, std::uint32_t key, std::int32_t own_read,
                            const Interaction& event) const {
    const RowLayout& layout = a.rows.layout;
    if (layout.hop_slots[hop] == 0) return;
    const std::int32_t own_slot = layout.hop_begin[0];
    const Place place = hop == 0 ? Place{own_slot, row.key[own_slot] == key}
                                 : PlaceOf(row, layout, hop, key, event.ordinal, 0);
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
void FindOccupiedOn(const E& exec, const ReadArguments& arguments) {
  gpu::ForEachIndex(exec, arguments.node_count, FindOccupied{arguments});
}

template <class E>
void ReadSlotsOn(const E& exec, const ReadArguments& arguments) {
  gpu::ForEachTile(exec, arguments.node_count, ReadSlots{arguments});
}

template <class E>
void ObserveRowsOn(const E& exec, const ObserveArguments& arguments) {
  gpu::ForEachIndex(gpu::WithGrain(exec, 256), arguments.touch_count, ObserveRow{arguments});
}

template void FindOccupiedOn(const gpu::BuildExec&, const ReadArguments&);
template void ReadSlotsOn(const gpu::BuildExec&, const ReadArguments&);
template void ObserveRowsOn(const gpu::BuildExec&, const ObserveArguments&);

}  // namespace weft::cache
