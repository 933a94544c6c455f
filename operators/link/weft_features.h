// What `weft` reads of a pair of nodes: one row of numbers, from the rows that PartnerTable keeps
// of both. Groups, formulas and measured worth of each: weft.md.
//
// Columns are ordered by how they are computed: logarithms, plain values, then differences of the
// former.
#pragma once

#include <cstdint>

#include "cache/partner_observe.h"

namespace weft::operators::link {

// Columns of one node, in the order of WeftColumn::kSourceLog and kTargetLog.
enum WeftNodeLog : std::int32_t {
  kOutAge,    // time since it sent, in mean gaps of the stream
  kOutSteps,  // the same in events
  kInAge,     // since it received
  kInSteps,
  kOutCount,
  kInCount,
  kOutPartners,
  kInPartners,
  kOutActivity,  // 3 scales
  kInActivity = kOutActivity + cache::kScales,
  kOutGap = kInActivity + cache::kScales,
  kInGap,
  kKnownSince,  // events since its first one
  kBurst,       // events sent at this very time
  kNodeLogCount,
};

enum WeftNodePlain : std::int32_t {
  kHasSent,
  kHasReceived,
  kOutNovelty,
  kInNovelty,
  kReceivedNow,  // received at this very time
  kNodePlainCount,
};

// First columns of the groups.
enum WeftColumn : std::int32_t {
  // log1p of:
  kSourceLog = 0,
  kTargetLog = kSourceLog + kNodeLogCount,
  kPairOutAge = kTargetLog + kNodeLogCount,  // source to target
  kPairOutSteps,
  kPairInAge,  // target to source
  kPairInSteps,
  kPairOutCount,
  kPairInCount,
  kPairGap,
  kSourceRank,  // partners of the source met after the target
  kSourceOutRank,
  kTargetRank,
  kTargetOutRank,
  kFollowSum,  // follows the source's last targets
  kFollowCount,
  kCommonCount,  // partners of both
  kCommonRecency,
  kCommonRarity,
  kCommonAge,
  kWalkSum,  // partners of the source's partners that are the target's
  kWalkNormalized,
  kWalkLargest,
  kWalkFirst,
  kRankByIn,  // of the target among the source's partners, by several orders
  kRankByUnanswered,
  kRankByCount,
  kFollowLong,  // follows the source's last eight targets
  kFollowReply,
  kFollowEvent,
  kFollowSource,
  // What each of the two remembers of having met the other at all, of former partners too.
  kSourceMetSteps,  // events since
  kSourceMetOut,    // contacts, seen from the source
  kSourceMetIn,
  kTargetMetSteps,
  kTargetMetOut,
  kTargetMetIn,
  kPairHours,        // hours of the day in which they met
  kSourceHourShare,  // of the source's events, those in this hour, against an even spread
  kTargetHourShare,
  kLogEnd,
  // Plain:
  kSourcePlain = kLogEnd,
  kTargetPlain = kSourcePlain + kNodePlainCount,
  kPairHasOut = kTargetPlain + kNodePlainCount,
  kPairHasIn,
  kPairOwed,  // the target heard last, or: whose turn it is
  kPairOutNow,
  kPairInNow,
  kSourceMet,  // whether they ever met, as far as that is certain
  kTargetMet,
  kPairThisHour,  // whether they met in this hour of the day before
  kPairNextHour,  // in the hour before or after
  kPairThisDay,   // on this day of the week
  kIsLastTarget,  // last, second and third last
  kIsLastSender = kIsLastTarget + 3,
  kIsNext,
  kFollowLargest,
  kCommonJaccard,
  kStay,
  kStayAgreement,
  kOutHabit,
  kInHabit,
  kIsEventTarget,  // the stream's last target, and so on
  kIsEventSource,
  kSourceIsEventSource,
  kPlainEnd,
  // Differences of logarithms:
  kOutRankDifference = kPlainEnd,
  kInRankDifference,
  kReturnDifference,
  kPairGapDifference,
  kSourceGapDifference,
  kTargetGapDifference,
  kWeftColumnCount,
};

// Rows of features are this far apart.
inline constexpr std::int32_t kWeftStride = (kWeftColumnCount + 15) / 16 * 16;

using cache::kMaxPartnerSlots;
inline constexpr std::int32_t kWalkPartners = 8;

// The moment that features are as of.
struct WeftNow {
  std::int64_t time_us;
  std::uint32_t ordinal;  // of the next event
  float gaps_per_us;      // 1 / mean time between events
  float never;            // log1p of it is what ages and steps are where there was nothing
  std::int64_t group;     // rows are read as before it; 0: as they are
  std::uint32_t last_source;
  std::uint32_t last_target;
  std::uint32_t last_target_row;
};

WEFT_HD float MeanRate(std::int64_t event_count, std::int64_t span_us) {
  return span_us > 0 ? static_cast<float>(event_count + 1) / static_cast<float>(span_us) : 0.0f;
}

// Before the group at hand.
WEFT_HD WeftNow NowOfGroup(const cache::PartnerStream& stream, std::int64_t time_us) {
  WeftNow now;
  now.time_us = time_us;
  now.ordinal = static_cast<std::uint32_t>(stream.group_event_count + 1);
  now.gaps_per_us = stream.group_event_count == 0
                        ? 0.0f
                        : MeanRate(stream.group_event_count, time_us - stream.first_us);
  // log1p(never) = log1p(events) + 1.
  now.never = 2.7182817f * static_cast<float>(stream.group_event_count + 1) - 1.0f;
  now.group = stream.group;
  now.last_source = stream.group_last_source;
  now.last_target = stream.group_last_target;
  now.last_target_row = stream.group_last_target_row;
  return now;
}

// After everything so far.
WEFT_HD WeftNow NowOfRead(const cache::PartnerStream& stream, std::int64_t time_us) {
  WeftNow now;
  now.time_us = time_us;
  now.ordinal = static_cast<std::uint32_t>(stream.event_count + 1);
  now.gaps_per_us =
      stream.event_count == 0 ? 0.0f : MeanRate(stream.event_count, time_us - stream.first_us);
  now.never = 2.7182817f * static_cast<float>(stream.event_count + 1) - 1.0f;
  now.group = 0;
  now.last_source = stream.last_source;
  now.last_target = stream.last_target;
  now.last_target_row = stream.last_target_row;
  return now;
}

// A set of nodes that may say yes where it should say no, seldom if they are few against its bits.
template <int kBits>
struct NodeFilter {
  std::uint64_t word[kBits / 64];
  WEFT_HD void Clear() {
    for (std::uint64_t& bits : word) bits = 0;
  }
  WEFT_HD static std::uint32_t BitOf(std::uint32_t node) {
    return static_cast<std::uint32_t>(std::uint64_t{node * 0x9e3779b1u} * kBits >> 32);
  }
  WEFT_HD void Add(std::uint32_t node) {
    word[BitOf(node) / 64] |= std::uint64_t{1} << (BitOf(node) % 64);
  }
  WEFT_HD bool MayHave(std::uint32_t node) const {
    return (word[BitOf(node) / 64] >> (BitOf(node) % 64) & 1) != 0;
  }
};

// What all candidates of one source share.
struct WeftSource {
  WeftNow now;
  std::uint32_t node;
  cache::PartnerRow row;
  float node_log[kNodeLogCount];
  float node_plain[kNodePlainCount];
  // By slot of the source.
  std::uint32_t age[kMaxPartnerSlots];
  std::uint32_t out_age[kMaxPartnerSlots];
  std::uint32_t in_age[kMaxPartnerSlots];
  std::uint32_t unanswered_age[kMaxPartnerSlots];
  std::uint32_t contacts[kMaxPartnerSlots];
  float recency[kMaxPartnerSlots];  // 1 / (1 + log1p(age)), 0 for an empty slot
  std::int32_t partner_count;
  NodeFilter<1024> partners;
  // Its latest partners, and theirs.
  std::int32_t walk_count;
  std::uint32_t walk_partner[kWalkPartners];
  cache::PartnerRow walk_row[kWalkPartners];
  std::int32_t walk_size[kWalkPartners];
  NodeFilter<512> walk_partners[kWalkPartners];
  NodeFilter<4096> all_walk_partners;
  float walk_recency[kWalkPartners][kMaxPartnerSlots];
  // Whose followers the target may be.
  const cache::Followers* followed[cache::kRecentTargets];  // of the last targets
  const cache::Followers* reply;
  const cache::Followers* next_event_target;
};

}  // namespace weft::operators::link
