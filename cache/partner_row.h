// The row that PartnerTable keeps of one node: when and how often it sent and received, its recent
// partners with what passed between them, and what tends to follow it. Plain structs and functions
// over them for kernels of host and device alike.
//
// Ordinals are places of events in the stream, counted from 1, modulo 2^32; 0 means never. Averages
// that decay are stored with the ordinal (or the owner's own count) of their last change and are
// brought up to date by whoever reads them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/elementary.h"
#include "gpu/host_device.h"

namespace weft::cache {

inline constexpr std::uint32_t kNobody = 0xffffffffu;  // an empty slot; no node has this id
inline constexpr std::uint32_t kNeverAge = 0xffffffffu;

inline constexpr int kScales = 3;
// Functions, because device code cannot index a constant array of the host.

// How many events of the stream a node's activity takes to fall to 1/e.
WEFT_HD float ActivityEvents(int scale) {
  constexpr float kEvents[kScales] = {64.0f, 1024.0f, 16384.0f};
  return kEvents[scale];
}
// The same of a pair's strength.
WEFT_HD float StrengthEvents(int scale) {
  constexpr float kEvents[kScales] = {256.0f, 4096.0f, 65536.0f};
  return kEvents[scale];
}
// A partner's share of its owner's events moves by this fraction with each of them.
WEFT_HD float ShareRate(int scale) {
  constexpr float kRate[kScales] = {1.0f / 4.0f, 1.0f / 16.0f, 1.0f / 64.0f};
  return kRate[scale];
}
// log(1 - ShareRate(scale)).
WEFT_HD float ShareDecay(int scale) {
  constexpr float kDecay[kScales] = {-0.28768207f, -0.064538521f, -0.015748357f};
  return kDecay[scale];
}

inline constexpr int kRecentTargets = 8;
inline constexpr int kRecentSenders = 2;
inline constexpr int kFollowerSlots = 16;
inline constexpr int kSampledTargets = 8;

// Who follows: the most frequent successors of something, a bounded counter.
struct Followers {
  static constexpr std::int32_t kHalveAt = 200;
  std::uint32_t key[kFollowerSlots];
  std::uint8_t count[kFollowerSlots];  // 0: the slot is free
  std::int32_t total;                  // of all that were put in, halved together with the counts
};

// A node's events in one direction: those that it sent, or those that it received.
struct NodeDirection {
  std::int64_t last_us;
  std::uint32_t last_ordinal;
  std::uint32_t count;
  std::uint32_t partner_count;  // contacts whose partner was not in the table
  float activity[kScales];      // as of last_ordinal
  float novelty;                // average of "the partner was not in the table", 0.9/0.1
  float gap_us;                 // average time between two, 0.8/0.2; 0 before the second
  std::uint32_t padding;
};

struct NodeHistory {
  std::uint32_t node;           // kNobody in a row that nobody has
  std::uint32_t first_ordinal;  // of its first event
  // Which copy holds the row as it was before the group of events at hand; see PartnerRows.
  std::int64_t group;
  NodeDirection out;
  NodeDirection in;
  std::int32_t before;
  std::uint32_t burst;                          // events sent at out.last_us
  std::uint32_t recent_target[kRecentTargets];  // distinct, latest first
  std::uint32_t recent_sender[kRecentSenders];  // distinct, latest first
  float stay;                                   // average of "the same target again", 0.85/0.15
  float out_rank;     // usual log1p(rank by recency) of a target that is met again, 0.8/0.2
  float in_rank;      // the same of a sender
  float return_time;  // usual log1p(time since last contact, in mean gaps) there, 0.8/0.2
  // A uniform sample of the first contacts with its targets, and the rows that they had.
  std::uint32_t sampled_target[kSampledTargets];
  std::uint32_t sampled_row[kSampledTargets];
  Followers next_target;        // targets of a source after it had this one as target
  Followers reply;              // targets of a source after it heard from this one
  Followers next_event_target;  // targets of the stream's next event after this one as target
  Followers next_source;        // sources that reach a target after this one did
};
static_assert(sizeof(NodeHistory) % 64 == 0);

// Arrays of a row's slots, each of `slots` values of four bytes, in this order; times take two.
enum class SlotArray : std::int32_t {
  kKey,
  kOutOrdinal,
  kInOrdinal,
  kRow,  // the partner's row when they last met
  kOutCount,
  kInCount,
  kNext,      // whom the owner turned to after this partner, the last time
  kOutClock,  // the owner's out.count when share_out was last changed
  kInClock,
  kGap,            // average time between two contacts, 0.7/0.3; 0 before the second
  kStrength,       // kScales arrays, as of the last contact
  kShareOut = 13,  // kScales arrays
  kShareIn = 16,
  kOutTime = 19,  // int64
  kInTime = 21,
  kEnd = 23,
};

// One row. A pointer: copied freely, never owns.
struct PartnerRow {
  std::byte* base;
  std::int32_t slots;

  WEFT_HD NodeHistory& history() const { return *reinterpret_cast<NodeHistory*>(base); }
  WEFT_HD std::byte* Array(SlotArray array) const {
    return base + sizeof(NodeHistory) + static_cast<std::int64_t>(array) * slots * 4;
  }
  WEFT_HD std::uint32_t* Words(SlotArray array) const {
    return reinterpret_cast<std::uint32_t*>(Array(array));
  }
  WEFT_HD float* Floats(SlotArray array, int scale = 0) const {
    return reinterpret_cast<float*>(Array(array)) + scale * slots;
  }
  WEFT_HD std::int64_t* Times(SlotArray array) const {
    return reinterpret_cast<std::int64_t*>(Array(array));
  }

  // Slot of a partner, or -1.
  WEFT_HD std::int32_t Find(std::uint32_t partner) const {
    if (partner == kNobody) return -1;
    const std::uint64_t mask = gpu::EqualMask(Words(SlotArray::kKey), slots, partner);
    return mask == 0 ? -1 : gpu::LowestBit(mask);
  }
};

// Bytes of a row with `slots` partners.
constexpr std::int64_t PartnerRowBytes(std::int32_t slots) {
  const std::int64_t bytes = static_cast<std::int64_t>(sizeof(NodeHistory)) +
                             static_cast<std::int64_t>(SlotArray::kEnd) * slots * 4;
  return (bytes + 63) / 64 * 64;
}

// Events since `ordinal`, as of the moment before event `now`.
WEFT_HD std::uint32_t AgeOf(std::uint32_t ordinal, std::uint32_t now) {
  return ordinal == 0 ? kNeverAge : now - ordinal;
}

WEFT_HD std::uint32_t SmallerOf(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }

// Age of the last contact with the partner of a slot, in either direction.
WEFT_HD std::uint32_t ContactAge(const PartnerRow& row, std::int32_t slot, std::uint32_t now) {
  return SmallerOf(AgeOf(row.Words(SlotArray::kOutOrdinal)[slot], now),
                   AgeOf(row.Words(SlotArray::kInOrdinal)[slot], now));
}

// Place of `key` among the followers, or -1.
WEFT_HD std::int32_t FindFollower(const Followers& followers, std::uint32_t key) {
  std::uint64_t mask = gpu::EqualMask(followers.key, kFollowerSlots, key);
  while (mask != 0) {
    const std::int32_t slot = gpu::LowestBit(mask);
    if (followers.count[slot] != 0) return slot;
    mask &= mask - 1;
  }
  return -1;
}

// How often `key` followed, as a fraction of all.
WEFT_HD float FollowerShare(const Followers& followers, std::uint32_t key) {
  const std::int32_t slot = FindFollower(followers, key);
  return slot < 0 ? 0.0f
                  : static_cast<float>(followers.count[slot]) / static_cast<float>(followers.total);
}

}  // namespace weft::cache
