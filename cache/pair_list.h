// Counts of pairs of nodes, as episodes keep them: pairs share 1,024 slots, and of the slots with
// any only these are kept, four bytes each. Plain functions that kernels can call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/host_device.h"

namespace weft::cache {

// Slots that pairs of nodes are counted in.
inline constexpr int kPairSlotBits = 10;
inline constexpr std::int32_t kPairSlots = 1 << kPairSlotBits;

WEFT_HD std::uint32_t PairSlot(std::uint32_t source, std::uint32_t target) {
  return static_cast<std::uint32_t>(gpu::CounterHash(0xed9e, source, target) % kPairSlots);
}

// A word of a list: a slot and 22 bits of its count. If the next word has the same slot, it has the
// next 22 bits.
inline constexpr int kPairCountBits = 32 - kPairSlotBits;

// Calls visit(slot, count) for each slot of the list, by rising slot.
template <class Visit>
WEFT_HD void ForEachPair(const std::uint32_t* word, const std::uint32_t* end, Visit visit) {
  while (word != end) {
    const std::uint32_t slot = *word % kPairSlots;
    std::uint64_t count = *word >> kPairSlotBits;
    int shift = kPairCountBits;
    for (++word; word != end && *word % kPairSlots == slot; ++word, shift += kPairCountBits)
      count |= static_cast<std::uint64_t>(*word >> kPairSlotBits) << shift;
    visit(slot, count);
  }
}

template <class Visit>
void ForEachPair(std::span<const std::uint32_t> list, Visit visit) {
  ForEachPair(list.data(), list.data() + list.size(), visit);
}

// Appends the list of `count`, one for each slot.
inline void AppendPairs(std::span<const std::uint64_t> count, std::vector<std::uint32_t>& list) {
  for (std::uint32_t slot = 0; slot < count.size(); ++slot) {
    for (std::uint64_t left = count[slot]; left > 0; left >>= kPairCountBits)
      list.push_back(static_cast<std::uint32_t>(left << kPairSlotBits) | slot);
  }
}

}  // namespace weft::cache
