// Fills a WeftSource: everything of a pair's features that depends on the source alone.
#pragma once

#include "operators/link/weft_features.h"

namespace weft::operators::link {

namespace internal {

WEFT_HD float AgeInGaps(const WeftNow& now, std::int64_t since_us) {
  const std::int64_t age_us = now.time_us - since_us;
  return age_us > 0 ? static_cast<float>(age_us) * now.gaps_per_us : 0.0f;
}

WEFT_HD float Steps(const WeftNow& now, std::uint32_t ordinal) {
  return static_cast<float>(now.ordinal - ordinal);
}

// Raw values of a node's columns; activities are brought up to date.
WEFT_HD void NodeColumns(const WeftNow& now, const cache::NodeHistory& history, float* log,
                         float* plain) {
  const auto direction = [&](const cache::NodeDirection& d, std::int32_t age, std::int32_t steps,
                             std::int32_t count, std::int32_t partners, std::int32_t activity,
                             std::int32_t gap) {
    const bool has = d.count > 0;
    log[age] = has ? AgeInGaps(now, d.last_us) : now.never;
    log[steps] = has ? Steps(now, d.last_ordinal) : now.never;
    log[count] = static_cast<float>(d.count);
    log[partners] = static_cast<float>(d.partner_count);
    const float since = static_cast<float>(now.ordinal - d.last_ordinal);
    // Four, so that they are one vector.
    float decay[4];
    for (int s = 0; s < 4; ++s)
      decay[s] = -since / cache::ActivityEvents(s < cache::kScales ? s : 0);
    for (float& value : decay) value = gpu::Exp(value);
    for (int s = 0; s < cache::kScales; ++s)
      log[activity + s] = has ? 10.0f * d.activity[s] * decay[s] : 0.0f;
    log[gap] = d.gap_us * now.gaps_per_us;
  };
  direction(history.out, kOutAge, kOutSteps, kOutCount, kOutPartners, kOutActivity, kOutGap);
  direction(history.in, kInAge, kInSteps, kInCount, kInPartners, kInActivity, kInGap);
  const bool sent_now = history.out.count > 0 && history.out.last_us == now.time_us;
  log[kKnownSince] = history.first_ordinal == 0 ? 0.0f : Steps(now, history.first_ordinal);
  log[kBurst] = sent_now ? static_cast<float>(history.burst) : 0.0f;
  plain[kHasSent] = history.out.count > 0 ? 1.0f : 0.0f;
  plain[kHasReceived] = history.in.count > 0 ? 1.0f : 0.0f;
  plain[kOutNovelty] = history.out.novelty;
  plain[kInNovelty] = history.in.novelty;
  plain[kReceivedNow] = history.in.count > 0 && history.in.last_us == now.time_us ? 1.0f : 0.0f;
}

// 1 / (1 + log1p(age)) of each slot, 0 for an empty one. Returns how many are taken.
WEFT_HD std::int32_t SlotRecencies(const cache::PartnerRow& row, std::uint32_t now,
                                   float* recency) {
  const std::uint32_t* key = row.Words(cache::SlotArray::kKey);
  const std::uint32_t* out = row.Words(cache::SlotArray::kOutOrdinal);
  const std::uint32_t* in = row.Words(cache::SlotArray::kInOrdinal);
  std::int32_t taken = 0;
  for (std::int32_t i = 0; i < row.slots; ++i) {
    const std::uint32_t age = cache::SmallerOf(cache::AgeOf(out[i], now), cache::AgeOf(in[i], now));
    const float q = 1.0f / (1.0f + gpu::Log1p(static_cast<float>(age)));
    recency[i] = key[i] == cache::kNobody ? 0.0f : q;
    taken += key[i] == cache::kNobody ? 0 : 1;
  }
  return taken;
}

WEFT_HD void ReadSourceSlots(WeftSource& s) {
  using cache::SlotArray;
  const cache::PartnerRow row = s.row;
  const std::uint32_t* out = row.Words(SlotArray::kOutOrdinal);
  const std::uint32_t* in = row.Words(SlotArray::kInOrdinal);
  const std::uint32_t* out_count = row.Words(SlotArray::kOutCount);
  const std::uint32_t* in_count = row.Words(SlotArray::kInCount);
  for (std::int32_t i = 0; i < row.slots; ++i) {
    s.out_age[i] = cache::AgeOf(out[i], s.now.ordinal);
    s.in_age[i] = cache::AgeOf(in[i], s.now.ordinal);
    s.age[i] = cache::SmallerOf(s.out_age[i], s.in_age[i]);
    s.unanswered_age[i] = s.in_age[i] < s.out_age[i] ? s.in_age[i] : cache::kNeverAge;
    s.contacts[i] = out_count[i] + in_count[i];
  }
  s.partner_count = SlotRecencies(row, s.now.ordinal, s.recency);
  s.partners.Clear();
  const std::uint32_t* key = row.Words(SlotArray::kKey);
  for (std::int32_t i = 0; i < s.partner_count; ++i) s.partners.Add(key[i]);
}

// The slots of the kWalkPartners latest partners, latest first.
WEFT_HD void ReadWalks(const cache::PartnerRows& rows, WeftSource& s) {
  std::int32_t slot_of[kWalkPartners];
  for (std::int32_t i = 0; i < s.row.slots; ++i) {
    std::int32_t rank = 0;
    for (std::int32_t j = 0; j < s.row.slots; ++j)
      rank += s.age[j] < s.age[i] || (s.age[j] == s.age[i] && j < i) ? 1 : 0;
    if (rank < kWalkPartners) slot_of[rank] = i;
  }
  s.walk_count = s.partner_count < kWalkPartners ? s.partner_count : kWalkPartners;
  s.all_walk_partners.Clear();
  for (std::int32_t w = 0; w < s.walk_count; ++w) {
    const std::int32_t slot = slot_of[w];
    s.walk_partner[w] = s.row.Words(cache::SlotArray::kKey)[slot];
    s.walk_row[w] =
        rows.Of(s.walk_partner[w], s.row.Words(cache::SlotArray::kRow)[slot], s.now.group);
    s.walk_size[w] = SlotRecencies(s.walk_row[w], s.now.ordinal, s.walk_recency[w]);
    const std::uint32_t* key = s.walk_row[w].Words(cache::SlotArray::kKey);
    s.walk_partners[w].Clear();
    for (std::int32_t i = 0; i < s.walk_size[w]; ++i) {
      s.walk_partners[w].Add(key[i]);
      s.all_walk_partners.Add(key[i]);
    }
  }
}

}  // namespace internal

WEFT_HD void ReadSource(const cache::PartnerRows& rows, const WeftNow& now, std::uint32_t node,
                        std::uint32_t row, WeftSource& s) {
  s.now = now;
  s.node = node;
  s.row = rows.Of(node, row, now.group);
  const cache::NodeHistory& history = s.row.history();
  internal::NodeColumns(now, history, s.node_log, s.node_plain);
  internal::ReadSourceSlots(s);
  internal::ReadWalks(rows, s);
  const auto row_of = [&](std::uint32_t partner) {
    const std::int32_t slot = s.row.Find(partner);
    return rows.Of(partner, slot < 0 ? 0 : s.row.Words(cache::SlotArray::kRow)[slot], now.group);
  };
  for (int i = 0; i < cache::kRecentTargets; ++i)
    s.followed[i] = &row_of(history.recent_target[i]).history().next_target;
  s.reply = &row_of(history.recent_sender[0]).history().reply;
  s.next_event_target =
      &rows.Of(now.last_target, now.last_target_row, now.group).history().next_event_target;
}

}  // namespace weft::operators::link
