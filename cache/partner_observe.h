// How an event changes the rows of a PartnerTable, and how rows are read as they were before a
// group of events. For kernels; one thread works on a table at a time.
#pragma once

#include <cstdint>

#include "cache/partner_row.h"

namespace weft::cache {

// What is kept of the stream beside the rows.
struct PartnerStream {
  std::int64_t event_count;
  std::int64_t first_us;
  std::int64_t last_us;
  std::uint32_t last_source;
  std::uint32_t last_target;
  std::uint32_t last_target_row;
  // The group of events that are read from one state: its number, its time, and what was true
  // before it.
  std::int32_t before_count;  // copies in use
  std::int64_t group;
  std::int64_t group_us;
  std::int64_t group_event_count;
  std::uint32_t group_last_source;
  std::uint32_t group_last_target;
  std::uint32_t group_last_target_row;
  std::uint32_t padding;
};

// The rows as kernels see them. Row 0 belongs to nobody and stays empty. The first time that a
// group changes a row, its former bytes go to `before`, so that the other events of the group are
// scored without knowing of it; once before_capacity copies are made, further rows are read as they
// are.
struct PartnerRows {
  std::byte* base;
  std::byte* before;
  std::int64_t stride;
  std::int32_t slots;
  std::int32_t before_capacity;

  WEFT_HD PartnerRow At(std::uint32_t row) const { return {base + row * stride, slots}; }
  // As it was before `group`; 0, which no group has, for as it is.
  WEFT_HD PartnerRow Before(std::uint32_t row, std::int64_t group) const {
    const PartnerRow live = At(row);
    if (group == 0 || live.history().group != group) return live;
    return {before + live.history().before * stride, slots};
  }
  // The row if it is `node`'s, else row 0.
  WEFT_HD PartnerRow Of(std::uint32_t node, std::uint32_t row, std::int64_t group) const {
    const PartnerRow found = Before(row, group);
    return found.history().node == node ? found : At(0);
  }
};

// An event with the rows of its two nodes; `fresh` rows have just been given to the node.
struct PartnerEvent {
  std::uint32_t source;
  std::uint32_t target;
  std::uint32_t source_row;
  std::uint32_t target_row;
  std::int64_t time_us;
  bool source_fresh;
  bool target_fresh;
};

namespace internal {

WEFT_HD void KeepBefore(const PartnerRows& rows, PartnerStream& stream, std::uint32_t row) {
  NodeHistory& history = rows.At(row).history();
  if (history.group == stream.group || stream.before_count == rows.before_capacity) return;
  __builtin_memcpy(rows.before + stream.before_count * rows.stride, rows.base + row * rows.stride,
                   static_cast<std::size_t>(rows.stride));
  history.group = stream.group;
  history.before = stream.before_count++;
}

WEFT_HD void GiveRow(const PartnerRows& rows, std::uint32_t row, std::uint32_t node) {
  const PartnerRow empty = rows.At(0);
  const PartnerRow given = rows.At(row);
  const std::int64_t group = given.history().group;
  const std::int32_t before = given.history().before;
  __builtin_memcpy(given.base, empty.base, static_cast<std::size_t>(rows.stride));
  given.history().node = node;
  given.history().group = group;
  given.history().before = before;
}

WEFT_HD float Toward(float average, float value, float rate) {
  return gpu::Fma(rate, value - average, average);
}

WEFT_HD void PutFollower(Followers& followers, std::uint32_t key) {
  std::int32_t slot = FindFollower(followers, key);
  if (slot < 0) {
    slot = 0;
    for (std::int32_t i = 1; i < kFollowerSlots; ++i)
      if (followers.count[i] < followers.count[slot]) slot = i;
    followers.key[slot] = key;
    followers.count[slot] = 0;
  }
  ++followers.count[slot];
  if (++followers.total <= Followers::kHalveAt) return;
  for (std::int32_t i = 0; i < kFollowerSlots; ++i) followers.count[i] /= 2;
  followers.total /= 2;
}

// Moves `key` to the front of `list`.
template <int kSize>
WEFT_HD void MoveToFront(std::uint32_t (&list)[kSize], std::uint32_t key) {
  std::uint32_t carried = key;
  for (int i = 0; i < kSize; ++i) {
    const std::uint32_t resident = list[i];
    list[i] = carried;
    if (resident == key) return;
    carried = resident;
  }
}

// How many slots had a contact after an event that is `age` events old.
WEFT_HD std::int32_t RankByAge(const PartnerRow& row, std::uint32_t age, std::uint32_t now) {
  std::int32_t rank = 0;
  for (std::int32_t i = 0; i < row.slots; ++i) rank += ContactAge(row, i, now) < age ? 1 : 0;
  return rank;
}

// The place among the former partners that is empty, or of the one longest without contact.
WEFT_HD std::int32_t OldestFormer(const NodeHistory& history, std::uint32_t now) {
  std::int32_t place = 0;
  for (std::int32_t i = 1; i < kFormerPartners; ++i)
    if (AgeOf(history.former_ordinal[i], now) > AgeOf(history.former_ordinal[place], now))
      place = i;
  return place;
}

// The partner of a slot that is about to be given away takes a place among the former ones.
WEFT_HD void KeepFormer(const PartnerRow& row, std::int32_t slot, std::int32_t place,
                        std::uint32_t now) {
  NodeHistory& history = row.history();
  history.former_partner[place] = row.Words(SlotArray::kKey)[slot];
  history.former_ordinal[place] = now - ContactAge(row, slot, now);
  history.former_row[place] = row.Words(SlotArray::kRow)[slot];
  history.former_contacts[place] = PackContacts(AllContacts(row, slot));
}

// The slot to give away: an empty one, or of the half of them without contact for longest that with
// the highest age for each contact. Who was met often stays for longer, as in hyperbolic caching
// (Blankstein et al. 2017), and the latest partners stay in any case.
WEFT_HD std::int32_t LeastOfUse(const PartnerRow& row, std::uint32_t now) {
  std::uint32_t age[kMaxPartnerSlots];
  for (std::int32_t i = 0; i < row.slots; ++i) age[i] = ContactAge(row, i, now);
  std::int32_t least = -1;
  std::uint64_t least_age = 0, least_contacts = 0;
  for (std::int32_t i = 0; i < row.slots; ++i) {
    if (age[i] == kNeverAge) return i;
    std::int32_t later = 0;
    for (std::int32_t j = 0; j < row.slots; ++j) later += age[j] < age[i] ? 1 : 0;
    if (later < row.slots / 2) continue;
    const Contacts both = AllContacts(row, i);
    const std::uint64_t contacts = std::uint64_t{both.out} + both.in;
    // age / contacts against that of the least so far, and of equal ones the older.
    const std::uint64_t own = age[i] * least_contacts, other = least_age * contacts;
    if (least >= 0 && (own < other || (own == other && age[i] < least_age))) continue;
    least = i;
    least_age = age[i];
    least_contacts = contacts;
  }
  return least;
}

// The slot of `partner`, the one of least use if it has none; if it was a former partner, the two
// change places. `fresh` says whether it had none.
WEFT_HD std::int32_t TakeSlot(const PartnerRow& row, std::uint32_t partner, std::uint32_t now,
                              bool& fresh) {
  std::int32_t slot = row.Find(partner);
  fresh = slot < 0;
  if (!fresh) return slot;
  slot = LeastOfUse(row, now);
  NodeHistory& history = row.history();
  const std::int32_t former = FindFormer(history, partner);
  const std::uint32_t past_contacts = former < 0 ? 0 : history.former_contacts[former];
  if (row.Words(SlotArray::kKey)[slot] != kNobody)
    KeepFormer(row, slot, former < 0 ? OldestFormer(history, now) : former, now);
  const FilterBits bits = FilterBitsOf(partner);
  history.partner_filter[bits.first / 32] |= 1u << (bits.first % 32);
  history.partner_filter[bits.second / 32] |= 1u << (bits.second % 32);
  for (std::int32_t a = 0; a < static_cast<std::int32_t>(SlotArray::kOutTime); ++a)
    row.Words(static_cast<SlotArray>(a))[slot] = 0;
  row.Times(SlotArray::kOutTime)[slot] = 0;
  row.Times(SlotArray::kInTime)[slot] = 0;
  row.Words(SlotArray::kKey)[slot] = partner;
  row.Words(SlotArray::kPastContacts)[slot] = past_contacts;
  row.Words(SlotArray::kNext)[slot] = kNobody;
  return slot;
}

inline constexpr float kHabitRate = 0.2f;

// How far back in the owner's list the partner of `slot` is when they meet again.
WEFT_HD void ObserveRank(const PartnerRow& row, std::int32_t slot, std::uint32_t now,
                         float& usual) {
  const auto rank = static_cast<float>(RankByAge(row, ContactAge(row, slot, now), now));
  usual = Toward(usual, gpu::Log1p(rank), kHabitRate);
}

// 0 if the later event of the log is the earlier in time.
WEFT_HD float GapBetween(std::int64_t former_us, std::int64_t time_us) {
  return time_us > former_us ? static_cast<float>(time_us - former_us) : 0.0f;
}

WEFT_HD void ObserveDirection(NodeDirection& direction, std::int64_t time_us, std::uint32_t now,
                              bool fresh_partner) {
  if (direction.count > 0) {
    const std::uint32_t age = now - direction.last_ordinal;
    for (int s = 0; s < kScales; ++s)
      direction.activity[s] *= gpu::Exp(-static_cast<float>(age) / ActivityEvents(s));
    const float gap = GapBetween(direction.last_us, time_us);
    direction.gap_us = direction.count == 1 ? gap : Toward(direction.gap_us, gap, 0.2f);
  }
  for (int s = 0; s < kScales; ++s) direction.activity[s] += 1.0f;
  direction.novelty = Toward(direction.novelty, fresh_partner ? 1.0f : 0.0f, 0.1f);
  direction.partner_count += fresh_partner ? 1 : 0;
  if (direction.count == 0 || time_us > direction.last_us) direction.last_us = time_us;
  direction.last_ordinal = now;
  ++direction.count;
}

WEFT_HD void CountHour(HourCounts& hours, std::int32_t hour) {
  if (++hours.count[hour] < 255) return;
  for (std::int32_t h = 0; h < kDayHours; ++h) hours.count[h] /= 2;
}

// What passed between owner and partner.
WEFT_HD void ObserveSlot(const PartnerRow& row, std::int32_t slot, bool fresh, bool out,
                         std::uint32_t partner_row, std::int64_t time_us, std::uint32_t now) {
  const SlotArray ordinal = out ? SlotArray::kOutOrdinal : SlotArray::kInOrdinal;
  const SlotArray count = out ? SlotArray::kOutCount : SlotArray::kInCount;
  const SlotArray time = out ? SlotArray::kOutTime : SlotArray::kInTime;
  if (!fresh) {
    const std::uint32_t age = ContactAge(row, slot, now);
    const std::int64_t out_us = row.Times(SlotArray::kOutTime)[slot];
    const std::int64_t in_us = row.Times(SlotArray::kInTime)[slot];
    const bool out_is_last = AgeOf(row.Words(SlotArray::kOutOrdinal)[slot], now) == age;
    const std::int64_t since_us = time_us - (out_is_last ? out_us : in_us);
    const float gap = since_us > 0 ? static_cast<float>(since_us) : 0.0f;
    const bool second =
        row.Words(SlotArray::kOutCount)[slot] + row.Words(SlotArray::kInCount)[slot] == 1;
    float& average = row.Floats(SlotArray::kGap)[slot];
    average = second ? gap : Toward(average, gap, 0.3f);
  }
  row.Words(SlotArray::kRow)[slot] = partner_row;
  row.Words(ordinal)[slot] = now;
  row.Words(SlotArray::kClock)[slot] |= ClockBits(ClockTimeOf(time_us));
  row.Times(time)[slot] = time_us;
  ++row.Words(count)[slot];
}

// A uniform sample of a source's distinct targets (Vitter 1985, algorithm R).
WEFT_HD void SampleTarget(NodeHistory& history, std::uint32_t target, std::uint32_t row,
                          std::uint32_t now) {
  const std::uint32_t seen = ++history.target_count;
  std::uint64_t place = seen - 1;
  if (seen > kSampledTargets) place = gpu::CounterHash(history.node, now, seen) % seen;
  if (place >= kSampledTargets) return;
  history.sampled_target[place] = target;
  history.sampled_row[place] = row;
}

// The source's last target and its last sender, the target's last sender and the stream's last
// target learn what followed them.
WEFT_HD void ObserveFollowers(const PartnerRows& rows, PartnerStream& stream,
                              const PartnerEvent& event, bool keep_before) {
  const PartnerRow u = rows.At(event.source_row);
  const PartnerRow v = rows.At(event.target_row);
  const auto follow = [&](std::uint32_t node, std::uint32_t row, Followers NodeHistory::*followers,
                          std::uint32_t follower) {
    if (node == kNobody || rows.At(row).history().node != node) return;
    if (keep_before) KeepBefore(rows, stream, row);
    PutFollower(rows.At(row).history().*followers, follower);
  };
  const auto row_of = [](const PartnerRow& owner, std::uint32_t partner) {
    const std::int32_t slot = owner.Find(partner);
    return slot < 0 ? 0 : owner.Words(SlotArray::kRow)[slot];
  };
  const std::uint32_t last_target = u.history().recent_target[0];
  const std::int32_t last_slot = u.Find(last_target);
  if (last_slot >= 0) u.Words(SlotArray::kNext)[last_slot] = event.target;
  follow(last_target, row_of(u, last_target), &NodeHistory::next_target, event.target);
  const std::uint32_t source_heard = u.history().recent_sender[0];
  follow(source_heard, row_of(u, source_heard), &NodeHistory::reply, event.target);
  const std::uint32_t target_heard = v.history().recent_sender[0];
  follow(target_heard, row_of(v, target_heard), &NodeHistory::next_source, event.source);
  if (stream.event_count > 0)
    follow(stream.last_target, stream.last_target_row, &NodeHistory::next_event_target,
           event.target);
}

// What the two nodes usually do, from their tables as they were.
WEFT_HD void ObserveHabits(const PartnerRow& u, const PartnerRow& v, const PartnerStream& stream,
                           const PartnerEvent& event, std::uint32_t now) {
  const bool same_target = u.history().recent_target[0] == event.target;
  u.history().stay = Toward(u.history().stay, same_target ? 1.0f : 0.0f, 0.15f);
  const std::int32_t at_source = u.Find(event.target);
  if (at_source >= 0) {
    const std::int64_t out_us = u.Times(SlotArray::kOutTime)[at_source];
    const std::int64_t in_us = u.Times(SlotArray::kInTime)[at_source];
    const bool out_is_later = u.Words(SlotArray::kInCount)[at_source] == 0 ||
                              (u.Words(SlotArray::kOutCount)[at_source] > 0 && out_us > in_us);
    const std::int64_t age_us = event.time_us - (out_is_later ? out_us : in_us);
    const std::int64_t span_us = stream.last_us - stream.first_us;
    const bool known = age_us > 0 && span_us > 0;
    const float age = known ? static_cast<float>(age_us) * static_cast<float>(stream.event_count) /
                                  static_cast<float>(span_us)
                            : 0.0f;
    ObserveRank(u, at_source, now, u.history().out_rank);
    u.history().return_time = Toward(u.history().return_time, gpu::Log1p(age), kHabitRate);
  }
  const std::int32_t at_target = v.Find(event.source);
  if (at_target >= 0) ObserveRank(v, at_target, now, v.history().in_rank);
}

// Source and target remember each other.
WEFT_HD void ObserveContact(const PartnerRow& u, const PartnerRow& v, const PartnerEvent& event,
                            std::uint32_t now) {
  const NodeDirection& sent = u.history().out;
  if (sent.count == 0 || event.time_us > sent.last_us) u.history().burst = 0;
  if (sent.count == 0 || event.time_us >= sent.last_us) ++u.history().burst;
  if (!MayHaveMet(u.history(), event.target))
    SampleTarget(u.history(), event.target, event.target_row, now);
  bool fresh = false;
  std::int32_t slot = TakeSlot(u, event.target, now, fresh);
  ObserveDirection(u.history().out, event.time_us, now, fresh);
  ObserveSlot(u, slot, fresh, true, event.target_row, event.time_us, now);
  // Of a node that meets itself, the one slot stands for both sides.
  const bool distinct = event.source != event.target;
  if (distinct) slot = TakeSlot(v, event.source, now, fresh);
  ObserveDirection(v.history().in, event.time_us, now, fresh);
  if (distinct) ObserveSlot(v, slot, fresh, false, event.source_row, event.time_us, now);
  const std::int32_t hour = ClockTimeOf(event.time_us).hour;
  CountHour(u.history().sent_hours, hour);
  CountHour(v.history().received_hours, hour);
  MoveToFront(u.history().recent_target, event.target);
  MoveToFront(v.history().recent_sender, event.source);
}

}  // namespace internal

// Starts a group: what is read of it is as of now.
WEFT_HD void StartGroup(PartnerStream& stream, std::int64_t time_us) {
  ++stream.group;
  stream.group_us = time_us;
  stream.group_event_count = stream.event_count;
  stream.group_last_source = stream.last_source;
  stream.group_last_target = stream.last_target;
  stream.group_last_target_row = stream.last_target_row;
  stream.before_count = 0;
}

// Takes an event in. With `keep_before`, the rows that it changes can still be read as they were
// before the group. About 2 KB are read and written for each of the two nodes, and a line of up to
// four more.
WEFT_HD void ObserveEvent(const PartnerRows& rows, PartnerStream& stream, const PartnerEvent& event,
                          bool keep_before) {
  using namespace internal;
  const auto now = static_cast<std::uint32_t>(stream.event_count + 1);
  if (stream.event_count == 0) stream.first_us = stream.last_us = event.time_us;
  const PartnerRow u = rows.At(event.source_row);
  const PartnerRow v = rows.At(event.target_row);
  if (keep_before) {
    KeepBefore(rows, stream, event.source_row);
    KeepBefore(rows, stream, event.target_row);
  }
  if (event.source_fresh) GiveRow(rows, event.source_row, event.source);
  if (event.target_fresh) GiveRow(rows, event.target_row, event.target);
  if (u.history().first_ordinal == 0) u.history().first_ordinal = now;
  if (v.history().first_ordinal == 0) v.history().first_ordinal = now;
  ObserveFollowers(rows, stream, event, keep_before);
  ObserveHabits(u, v, stream, event, now);
  ObserveContact(u, v, event, now);
  stream.last_source = event.source;
  stream.last_target = event.target;
  stream.last_target_row = event.target_row;
  stream.first_us = stream.first_us < event.time_us ? stream.first_us : event.time_us;
  stream.last_us = stream.last_us > event.time_us ? stream.last_us : event.time_us;
  ++stream.event_count;
}

}  // namespace weft::cache
