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
// How many events of the stream a node's activity takes to fall to 1/e. A function, because device
// code cannot index a constant array of the host.
WEFT_HD float ActivityEvents(int scale) {
  constexpr float kEvents[kScales] = {64.0f, 1024.0f, 16384.0f};
  return kEvents[scale];
}

inline constexpr std::int32_t kMaxPartnerSlots = 64;
inline constexpr int kRecentTargets = 8;
inline constexpr int kRecentSenders = 2;
inline constexpr int kFollowerSlots = 16;
inline constexpr int kFormerPartners = 64;
inline constexpr int kFilterWords = 16;
inline constexpr int kSampledTargets = 8;

// Who follows: the most frequent successors of something, a bounded counter.
struct Followers {
  static constexpr std::int32_t kHalveAt = 200;
  std::uint32_t key[kFollowerSlots];
  std::uint8_t count[kFollowerSlots];  // 0: the slot is free
  std::int32_t total;                  // of all that were put in, halved together with the counts
};

// Where a time is in the day and in the week, of 24 and 7 parts of equal length counted from 1970;
// as good for times with another origin.
inline constexpr std::int32_t kDayHours = 24;
inline constexpr std::int32_t kWeekDays = 7;
struct ClockTime {
  std::int32_t hour;
  std::int32_t day;
};
WEFT_HD ClockTime ClockTimeOf(std::int64_t time_us) {
  constexpr std::int64_t kHourUs = 3'600'000'000;
  const std::int64_t whole = time_us / kHourUs;
  const std::int64_t hours = whole * kHourUs > time_us ? whole - 1 : whole;
  // Of a remainder that may be below zero.
  const std::int64_t week =
      ((hours % (kDayHours * kWeekDays)) + kDayHours * kWeekDays) % (kDayHours * kWeekDays);
  return {static_cast<std::int32_t>(week % kDayHours), static_cast<std::int32_t>(week / kDayHours)};
}
// The bits of kClock: the hour's, and above these the day's.
WEFT_HD std::uint32_t ClockBits(const ClockTime& clock) {
  return 1u << clock.hour | 1u << (kDayHours + clock.day);
}

// How often something happened in each hour of the day; halved when one is full.
struct HourCounts {
  std::uint8_t count[kDayHours];
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

struct alignas(64) NodeHistory {
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
  // Partners without a slot, those met last: when and where that was, and how often they met.
  std::uint32_t former_partner[kFormerPartners];
  std::uint32_t former_ordinal[kFormerPartners];
  std::uint32_t former_row[kFormerPartners];
  std::uint32_t former_contacts[kFormerPartners];
  std::uint32_t target_count;  // distinct ones, as far as the filter tells
  // A uniform sample of these, and the rows that they had.
  std::uint32_t sampled_target[kSampledTargets];
  std::uint32_t sampled_row[kSampledTargets];
  HourCounts sent_hours;
  HourCounts received_hours;
  std::uint32_t partner_filter[kFilterWords];  // of all partners ever (Bloom 1970, two bits each)
  Followers next_target;        // targets of a source after it had this one as target
  Followers reply;              // targets of a source after it heard from this one
  Followers next_event_target;  // targets of the stream's next event after this one as target
  Followers next_source;        // sources that reach a target after this one did
};

// Arrays of a row's slots, each of `slots` values of four bytes, in this order; times take two.
enum class SlotArray : std::int32_t {
  kKey,
  kOutOrdinal,
  kInOrdinal,
  kRow,  // the partner's row when they last met
  kOutCount,
  kInCount,
  kPastContacts,  // from before the partner lost its slot for a while, see Contacts
  kNext,          // whom the owner turned to after this partner, the last time
  kGap,           // average time between two contacts, 0.7/0.3; 0 before the second
  kClock,         // hours of the day and days of the week with a contact, see ClockBits
  kOutTime,       // int64
  kInTime = kOutTime + 2,
  kEnd = kInTime + 2,
};

// Numbers of contacts in both directions, packed; they stop at 65,535.
struct Contacts {
  std::uint32_t out;
  std::uint32_t in;
};
WEFT_HD std::uint32_t PackContacts(const Contacts& contacts) {
  constexpr std::uint32_t kMost = 0xffffu;
  const std::uint32_t out = contacts.out < kMost ? contacts.out : kMost;
  const std::uint32_t in = contacts.in < kMost ? contacts.in : kMost;
  return out << 16 | in;
}
WEFT_HD Contacts UnpackContacts(std::uint32_t packed) { return {packed >> 16, packed & 0xffffu}; }

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
  WEFT_HD float* Floats(SlotArray array) const { return reinterpret_cast<float*>(Array(array)); }
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

// The two bits of a partner in a filter.
struct FilterBits {
  std::uint32_t first;
  std::uint32_t second;
};
WEFT_HD FilterBits FilterBitsOf(std::uint32_t partner) {
  constexpr std::uint32_t kBits = kFilterWords * 32;
  const std::uint32_t hash = gpu::Mix32(partner);
  return {hash % kBits, (hash >> 16) % kBits};
}

// Whether the partner may have been met, ever; certain where it says no.
WEFT_HD bool MayHaveMet(const NodeHistory& history, std::uint32_t partner) {
  const FilterBits bits = FilterBitsOf(partner);
  return (history.partner_filter[bits.first / 32] >> (bits.first % 32) & 1) != 0 &&
         (history.partner_filter[bits.second / 32] >> (bits.second % 32) & 1) != 0;
}

// All contacts with the partner of a slot, also those from before it lost its slot for a while.
WEFT_HD Contacts AllContacts(const PartnerRow& row, std::int32_t slot) {
  const Contacts past = UnpackContacts(row.Words(SlotArray::kPastContacts)[slot]);
  return {past.out + row.Words(SlotArray::kOutCount)[slot],
          past.in + row.Words(SlotArray::kInCount)[slot]};
}

// Place of a partner among the former ones, or -1.
WEFT_HD std::int32_t FindFormer(const NodeHistory& history, std::uint32_t partner) {
  const std::uint64_t mask = gpu::EqualMask(history.former_partner, kFormerPartners, partner);
  return mask == 0 ? -1 : gpu::LowestBit(mask);
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
