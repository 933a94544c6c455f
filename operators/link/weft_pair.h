// The features of one pair, from its source's WeftSource and its target's row.
#pragma once

#include <cstddef>

#include "operators/link/weft_source.h"

namespace weft::operators::link {

namespace internal {

// A slot of either node about the other; slot < 0: it has none.
struct PairSlots {
  cache::PartnerRow source;
  cache::PartnerRow target;
  std::int32_t at_source;
  std::int32_t at_target;
};

struct PairContact {
  std::uint32_t count = 0;
  std::uint32_t ordinal = 0;
  std::int64_t time_us = 0;
};

// Contacts in one direction as either node remembers them: whoever remembers more.
WEFT_HD PairContact ContactOf(const PairSlots& p, bool out) {
  using cache::SlotArray;
  PairContact contact;
  const auto take = [&](const cache::PartnerRow& row, std::int32_t slot, bool own_out) {
    if (slot < 0) return;
    const std::uint32_t count =
        row.Words(own_out ? SlotArray::kOutCount : SlotArray::kInCount)[slot];
    if (count <= contact.count) return;
    contact.count = count;
    contact.ordinal = row.Words(own_out ? SlotArray::kOutOrdinal : SlotArray::kInOrdinal)[slot];
    contact.time_us = row.Times(own_out ? SlotArray::kOutTime : SlotArray::kInTime)[slot];
  };
  take(p.source, p.at_source, out);
  take(p.target, p.at_target, !out);
  return contact;
}

WEFT_HD void PairColumns(const WeftSource& s, const PairSlots& p, float* f) {
  using cache::SlotArray;
  const PairContact out = ContactOf(p, true);
  const PairContact in = ContactOf(p, false);
  f[kPairOutAge] = out.count > 0 ? AgeInGaps(s.now, out.time_us) : s.now.never;
  f[kPairOutSteps] = out.count > 0 ? Steps(s.now, out.ordinal) : s.now.never;
  f[kPairInAge] = in.count > 0 ? AgeInGaps(s.now, in.time_us) : s.now.never;
  f[kPairInSteps] = in.count > 0 ? Steps(s.now, in.ordinal) : s.now.never;
  f[kPairOutCount] = static_cast<float>(out.count);
  f[kPairInCount] = static_cast<float>(in.count);
  f[kPairHasOut] = out.count > 0 ? 1.0f : 0.0f;
  f[kPairHasIn] = in.count > 0 ? 1.0f : 0.0f;
  const std::uint32_t out_age = cache::AgeOf(out.ordinal, s.now.ordinal);
  const std::uint32_t in_age = cache::AgeOf(in.ordinal, s.now.ordinal);
  f[kPairOwed] = in_age < out_age ? 1.0f : 0.0f;
  f[kPairOutNow] = out.count > 0 && out.time_us == s.now.time_us ? 1.0f : 0.0f;
  f[kPairInNow] = in.count > 0 && in.time_us == s.now.time_us ? 1.0f : 0.0f;
  const bool at_source = p.at_source >= 0;
  const std::int32_t slot = at_source ? p.at_source : p.at_target;
  const cache::PartnerRow& row = at_source ? p.source : p.target;
  f[kPairGap] = slot < 0 ? 0.0f : row.Floats(SlotArray::kGap)[slot] * s.now.gaps_per_us;
}

// What one node remembers of having met the other at all.
struct PairMet {
  float steps;
  float met;  // 1: certainly
  cache::Contacts contacts;
};
WEFT_HD PairMet MetOf(const WeftNow& now, const cache::PartnerRow& row, std::int32_t slot,
                      std::uint32_t partner) {
  if (slot >= 0)
    return {static_cast<float>(cache::ContactAge(row, slot, now.ordinal)), 1.0f,
            cache::AllContacts(row, slot)};
  const cache::NodeHistory& history = row.history();
  const std::int32_t former = cache::FindFormer(history, partner);
  if (former >= 0)
    return {Steps(now, history.former_ordinal[former]), 1.0f,
            cache::UnpackContacts(history.former_contacts[former])};
  if (!cache::MayHaveMet(history, partner)) return {now.never, 0.0f, {0, 0}};
  // The fuller the filter, the less a yes means.
  std::int32_t bits = 0;
  for (int i = 0; i < cache::kFilterWords; ++i) bits += gpu::PopCount(history.partner_filter[i]);
  const float full = static_cast<float>(bits) / static_cast<float>(32 * cache::kFilterWords);
  return {now.never, 1.0f - full * full, {0, 0}};
}

WEFT_HD void MetColumns(const WeftSource& s, const PairSlots& p, std::uint32_t target, float* f) {
  const PairMet source = MetOf(s.now, p.source, p.at_source, target);
  const PairMet reached = MetOf(s.now, p.target, p.at_target, s.node);
  f[kSourceMetSteps] = source.steps;
  f[kSourceMetOut] = static_cast<float>(source.contacts.out);
  f[kSourceMetIn] = static_cast<float>(source.contacts.in);
  f[kSourceMet] = source.met;
  f[kTargetMetSteps] = reached.steps;
  f[kTargetMetOut] = static_cast<float>(reached.contacts.out);
  f[kTargetMetIn] = static_cast<float>(reached.contacts.in);
  f[kTargetMet] = reached.met;
}

// How much of what is counted falls into an hour, in 1 / kDayHours.
WEFT_HD float HourShare(const cache::HourCounts& hours, std::int32_t hour) {
  std::int32_t total = 0;
  for (std::int32_t h = 0; h < cache::kDayHours; ++h) total += hours.count[h];
  if (total == 0) return 0.0f;
  return static_cast<float>(cache::kDayHours * hours.count[hour]) / static_cast<float>(total);
}

WEFT_HD void ClockColumns(const WeftSource& s, const PairSlots& p, float* f) {
  const cache::ClockTime clock = cache::ClockTimeOf(s.now.time_us);
  std::uint32_t bits = 0;
  if (p.at_source >= 0) bits |= p.source.Words(cache::SlotArray::kClock)[p.at_source];
  if (p.at_target >= 0) bits |= p.target.Words(cache::SlotArray::kClock)[p.at_target];
  const auto flag = [bits](std::int32_t bit) { return bits >> bit & 1u; };
  const std::int32_t before = (clock.hour + cache::kDayHours - 1) % cache::kDayHours;
  const std::int32_t after = (clock.hour + 1) % cache::kDayHours;
  f[kPairThisHour] = static_cast<float>(flag(clock.hour));
  f[kPairNextHour] = static_cast<float>(flag(before) | flag(after));
  f[kPairThisDay] = static_cast<float>(flag(cache::kDayHours + clock.day));
  f[kPairHours] = static_cast<float>(gpu::PopCount(bits & ((1u << cache::kDayHours) - 1u)));
  f[kSourceHourShare] = HourShare(s.row.history().sent_hours, clock.hour);
  f[kTargetHourShare] = HourShare(p.target.history().received_hours, clock.hour);
}

WEFT_HD void OrderColumns(const WeftSource& s, const PairSlots& p, float* f) {
  const std::int32_t slots = s.row.slots;
  const auto absent = static_cast<float>(slots);
  std::int32_t later = 0, out_later = 0, by_in = 0, by_unanswered = 0, by_count = 0;
  const bool has = p.at_source >= 0;
  const std::int32_t own = has ? p.at_source : 0;
  for (std::int32_t i = 0; has && i < slots; ++i) {
    later += s.age[i] < s.age[own] ? 1 : 0;
    out_later += s.out_age[i] < s.out_age[own] ? 1 : 0;
    by_in += s.in_age[i] < s.in_age[own] ? 1 : 0;
    by_unanswered += s.unanswered_age[i] < s.unanswered_age[own] ? 1 : 0;
    by_count += s.contacts[i] > s.contacts[own] ? 1 : 0;
  }
  const bool unanswered = has && s.unanswered_age[own] != cache::kNeverAge;
  f[kSourceRank] = has ? static_cast<float>(later) : absent;
  f[kSourceOutRank] = has ? static_cast<float>(out_later) : absent;
  f[kRankByIn] = has ? static_cast<float>(by_in) : absent;
  f[kRankByUnanswered] = unanswered ? static_cast<float>(by_unanswered) : absent;
  f[kRankByCount] = has ? static_cast<float>(by_count) : absent;
  std::int32_t target_later = 0, target_out_later = 0;
  if (p.at_target >= 0) {
    const std::uint32_t* out = p.target.Words(cache::SlotArray::kOutOrdinal);
    const std::uint32_t* in = p.target.Words(cache::SlotArray::kInOrdinal);
    const std::uint32_t out_age = cache::AgeOf(out[p.at_target], s.now.ordinal);
    const std::uint32_t age = cache::ContactAge(p.target, p.at_target, s.now.ordinal);
    for (std::int32_t i = 0; i < slots; ++i) {
      const std::uint32_t out_i = cache::AgeOf(out[i], s.now.ordinal);
      const std::uint32_t in_i = cache::AgeOf(in[i], s.now.ordinal);
      target_later += cache::SmallerOf(out_i, in_i) < age ? 1 : 0;
      target_out_later += out_i < out_age ? 1 : 0;
    }
  }
  f[kTargetRank] = p.at_target >= 0 ? static_cast<float>(target_later) : absent;
  f[kTargetOutRank] = p.at_target >= 0 ? static_cast<float>(target_out_later) : absent;
}

WEFT_HD void SequenceColumns(const cache::PartnerRows& rows, const WeftSource& s,
                             const PairSlots& p, std::uint32_t target, float* f) {
  const cache::NodeHistory& history = s.row.history();
  constexpr float kWeight[3] = {1.0f, 0.6f, 0.4f};
  const auto flag = [](bool value) { return value ? 1.0f : 0.0f; };
  float sum = 0.0f, largest = 0.0f, distant = 0.0f;
  for (int i = 0; i < cache::kRecentTargets; ++i) {
    const float share = cache::FollowerShare(*s.followed[i], target);
    if (i < 3) {
      f[kIsLastTarget + i] = flag(history.recent_target[i] == target);
      sum += kWeight[i] * share;
      largest = share > largest ? share : largest;
    }
    distant += share / static_cast<float>(1 + i);
  }
  const std::int32_t follower = cache::FindFollower(*s.followed[0], target);
  f[kFollowSum] = 100.0f * sum;
  f[kFollowLargest] = largest;
  f[kFollowCount] = follower < 0 ? 0.0f : static_cast<float>(s.followed[0]->count[follower]);
  f[kFollowLong] = 100.0f * distant;
  f[kFollowReply] = 100.0f * cache::FollowerShare(*s.reply, target);
  f[kFollowEvent] = 100.0f * cache::FollowerShare(*s.next_event_target, target);
  // Which sources reach the target after those that did last.
  const cache::NodeHistory& target_history = p.target.history();
  float reached = 0.0f;
  for (int i = 0; i < cache::kRecentSenders; ++i) {
    const std::uint32_t sender = target_history.recent_sender[i];
    const std::int32_t slot = p.target.Find(sender);
    if (slot < 0) continue;
    const cache::PartnerRow row =
        rows.Of(sender, p.target.Words(cache::SlotArray::kRow)[slot], s.now.group);
    reached += cache::FollowerShare(row.history().next_source, s.node) / static_cast<float>(1 + i);
  }
  f[kFollowSource] = 100.0f * reached;
  f[kIsLastSender] = flag(history.recent_sender[0] == target);
  const std::int32_t last_slot = s.row.Find(history.recent_target[0]);
  f[kIsNext] = flag(last_slot >= 0 && s.row.Words(cache::SlotArray::kNext)[last_slot] == target);
  f[kIsEventTarget] = flag(s.now.last_target == target);
  f[kIsEventSource] = flag(s.now.last_source == target);
  f[kSourceIsEventSource] = flag(s.now.last_source == s.node);
}

// Partners that both have.
WEFT_HD void CommonColumns(const cache::PartnerRows& rows, const WeftSource& s, const PairSlots& p,
                           const float* recency, std::int32_t taken, float* f) {
  using cache::SlotArray;
  const std::uint32_t* key = p.target.Words(SlotArray::kKey);
  std::int32_t count = 0;
  float together = 0.0f, rarity = 0.0f;
  std::uint32_t newest = cache::kNeverAge;
  for (std::int32_t i = 0; i < p.target.slots; ++i) {
    const std::int32_t slot = s.partners.MayHave(key[i]) ? s.row.Find(key[i]) : -1;
    if (slot < 0) continue;
    ++count;
    together = gpu::Fma(s.recency[slot], recency[i], together);
    const cache::NodeHistory& common =
        rows.Of(key[i], s.row.Words(SlotArray::kRow)[slot], s.now.group).history();
    const auto degree = static_cast<float>(common.out.partner_count + common.in.partner_count);
    rarity += 1.0f / gpu::Log(2.0f + degree);
    const std::uint32_t age = cache::ContactAge(p.target, i, s.now.ordinal);
    const std::uint32_t both = age > s.age[slot] ? age : s.age[slot];
    newest = cache::SmallerOf(newest, both);
  }
  const std::int32_t either = s.partner_count + taken - count;
  f[kCommonCount] = static_cast<float>(count);
  f[kCommonRecency] = 100.0f * together;
  f[kCommonRarity] = 10.0f * rarity;
  f[kCommonAge] = newest == cache::kNeverAge ? s.now.never : static_cast<float>(newest);
  f[kCommonJaccard] = either == 0 ? 0.0f : static_cast<float>(count) / static_cast<float>(either);
}

// Partners of the source's partners that are the target's: who met the same third nodes.
WEFT_HD void WalkColumns(const WeftSource& s, const PairSlots& p, std::uint32_t target,
                         const float* recency, std::int32_t taken, float* f) {
  const std::uint32_t* key = p.target.Words(cache::SlotArray::kKey);
  float met[kWalkPartners] = {};
  for (std::int32_t i = 0; i < taken; ++i) {
    if (!s.all_walk_partners.MayHave(key[i]) || key[i] == s.node) continue;
    for (std::int32_t w = 0; w < s.walk_count; ++w) {
      if (!s.walk_partners[w].MayHave(key[i])) continue;
      const std::int32_t slot = s.walk_row[w].Find(key[i]);
      if (slot >= 0) met[w] = gpu::Fma(s.walk_recency[w][slot], recency[i], met[w]);
    }
  }
  float sum = 0.0f, normalized = 0.0f, largest = 0.0f, first = 0.0f;
  for (std::int32_t w = 0; w < s.walk_count; ++w) {
    if (s.walk_partner[w] == target) continue;
    const float weight = 1.0f / static_cast<float>(1 + w);
    sum = gpu::Fma(met[w], weight, sum);
    largest = met[w] > largest ? met[w] : largest;
    if (w == 0) first = met[w];
    const auto sizes = static_cast<float>(s.walk_size[w] * taken);
    if (met[w] > 0.0f) normalized += met[w] * weight / __builtin_sqrtf(sizes);
  }
  f[kWalkSum] = 100.0f * sum;
  f[kWalkNormalized] = 1000.0f * normalized;
  f[kWalkLargest] = 100.0f * largest;
  f[kWalkFirst] = 100.0f * first;
}

// From raw values to columns.
WEFT_HD void FinishColumns(const WeftSource& s, const PairSlots& p, float* f) {
  for (std::int32_t i = 0; i < kLogEnd; ++i) f[i] = gpu::Log1p(f[i]);
  const cache::NodeHistory& history = s.row.history();
  const cache::NodeHistory& target = p.target.history();
  f[kStay] = history.stay;
  f[kStayAgreement] = f[kIsLastTarget] > 0.0f ? history.stay : -history.stay;
  f[kOutHabit] = history.out_rank;
  f[kInHabit] = target.in_rank;
  f[kOutRankDifference] = f[kSourceRank] - history.out_rank;
  f[kInRankDifference] = f[kTargetRank] - target.in_rank;
  const float age = f[kPairOutAge] < f[kPairInAge] ? f[kPairOutAge] : f[kPairInAge];
  f[kReturnDifference] = age - history.return_time;
  f[kPairGapDifference] = age - f[kPairGap];
  const float* source_log = f + kSourceLog;
  const float* target_log = f + kTargetLog;
  f[kSourceGapDifference] = source_log[kOutAge] - source_log[kOutGap];
  f[kTargetGapDifference] = target_log[kInAge] - target_log[kInGap];
  for (std::int32_t i = kWeftColumnCount; i < kWeftStride; ++i) f[i] = 0.0f;
}

}  // namespace internal

// Asks for what ReadPair reads of a target's row.
WEFT_HD void PrefetchTarget(const cache::PartnerRow& row) {
  const cache::NodeHistory& history = row.history();
  gpu::Prefetch(&history, offsetof(cache::NodeHistory, former_ordinal));
  gpu::Prefetch(history.partner_filter, sizeof(history.partner_filter));
  gpu::Prefetch(row.Array(cache::SlotArray::kKey),
                row.Array(cache::SlotArray::kOutCount) - row.Array(cache::SlotArray::kKey));
}

// Once that is there: for what it reads of the rows of those who reached the target last.
WEFT_HD void PrefetchSenders(const cache::PartnerRows& rows, const cache::PartnerRow& row) {
  for (int i = 0; i < cache::kRecentSenders; ++i) {
    const std::int32_t slot = row.Find(row.history().recent_sender[i]);
    if (slot < 0) continue;
    const cache::NodeHistory& sender = rows.At(row.Words(cache::SlotArray::kRow)[slot]).history();
    gpu::Prefetch(&sender.node, sizeof(sender.node));
    gpu::Prefetch(sender.next_source.key, sizeof(sender.next_source.key));
  }
}

// Writes the kWeftStride features of `s`'s node and `target`, whose row is `row`.
WEFT_HD void ReadPair(const cache::PartnerRows& rows, const WeftSource& s, std::uint32_t target,
                      std::uint32_t row, float* features) {
  internal::PairSlots pair;
  pair.source = s.row;
  pair.target = rows.Of(target, row, s.now.group);
  pair.at_source = s.row.Find(target);
  pair.at_target = pair.target.Find(s.node);
  for (std::int32_t i = 0; i < kNodeLogCount; ++i) features[kSourceLog + i] = s.node_log[i];
  for (std::int32_t i = 0; i < kNodePlainCount; ++i) features[kSourcePlain + i] = s.node_plain[i];
  internal::NodeColumns(s.now, pair.target.history(), features + kTargetLog,
                        features + kTargetPlain);
  internal::PairColumns(s, pair, features);
  internal::MetColumns(s, pair, target, features);
  internal::ClockColumns(s, pair, features);
  internal::OrderColumns(s, pair, features);
  internal::SequenceColumns(rows, s, pair, target, features);
  float recency[kMaxPartnerSlots];
  const std::int32_t taken = internal::SlotRecencies(pair.target, s.now.ordinal, recency);
  internal::CommonColumns(rows, s, pair, recency, taken, features);
  internal::WalkColumns(s, pair, target, recency, taken, features);
  internal::FinishColumns(s, pair, features);
}

}  // namespace weft::operators::link
