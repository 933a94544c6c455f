// PartnerTable against a plain model of the same rules (partner_oracle.h), and rows as they were
// before a group, against a second table that has not taken the group in.
#include "cache/partner_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cache/partner_oracle.h"

namespace weft::cache {
namespace {

constexpr std::int32_t kSlots = 8;
constexpr std::uint32_t kNodes = 30;
constexpr std::int64_t kMaxNodes = 20;

struct TestEvent {
  std::uint32_t source, target;
  std::int64_t time_us;
};

// Favourites, strangers, self loops, equal times, a few late events; times begin below zero.
std::vector<TestEvent> MakeEvents(std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<TestEvent> events;
  std::int64_t time_us = -1'000'000'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    if (random() % 5 < 3) time_us += static_cast<std::int64_t>(random() % 2'000'000'000);
    const auto source = static_cast<std::uint32_t>(std::min(random() % kNodes, random() % kNodes));
    auto target = static_cast<std::uint32_t>(random() % 2 == 0
                                                 ? (source * 7 + random() % 3) % kNodes
                                                 : std::min(random() % kNodes, random() % kNodes));
    if (random() % 20 == 0) target = source;
    const bool late = random() % 25 == 0;
    events.push_back({source, target, late ? time_us - 3'000'000'000 : time_us});
  }
  return events;
}

#define EXPECT_CLOSE(got, expected) \
  EXPECT_NEAR(static_cast<double>(got), expected, 1e-6 + 2e-4 * std::abs(expected))

void CompareDirection(const NodeDirection& got, const OracleDirection& expected,
                      std::uint32_t event_count) {
  EXPECT_EQ(got.count, expected.count);
  EXPECT_EQ(got.partner_count, expected.partner_count);
  EXPECT_EQ(got.last_ordinal, expected.last);
  EXPECT_CLOSE(got.novelty, expected.novelty);
  if (got.count == 0) return;
  EXPECT_EQ(got.last_us, expected.last_us);
  EXPECT_CLOSE(got.gap_us, expected.gap);
  const double age = event_count - got.last_ordinal;
  for (int s = 0; s < kScales; ++s)
    EXPECT_CLOSE(got.activity[s] * std::exp(-age / ActivityEvents(s)), expected.activity[s]);
}

void CompareFollowers(const Followers& got, const OracleFollowers& expected) {
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < kFollowerSlots; ++i)
    if (got.count[i] > 0) counts[got.key[i]] += got.count[i];
  EXPECT_EQ(counts, expected.Counts());
  EXPECT_EQ(got.total, expected.total);
}

void CompareSlot(const PartnerRow& row, std::int32_t slot, const OraclePartner& expected) {
  using enum SlotArray;
  EXPECT_EQ(row.Words(kOutOrdinal)[slot], expected.last_out);
  EXPECT_EQ(row.Words(kInOrdinal)[slot], expected.last_in);
  EXPECT_EQ(row.Words(kRow)[slot], expected.row);
  EXPECT_EQ(row.Words(kOutCount)[slot], expected.out_count);
  EXPECT_EQ(row.Words(kInCount)[slot], expected.in_count);
  EXPECT_EQ(row.Words(kNext)[slot], expected.next);
  EXPECT_EQ(row.Times(kOutTime)[slot], expected.out_us);
  EXPECT_EQ(row.Times(kInTime)[slot], expected.in_us);
  EXPECT_CLOSE(row.Floats(kGap)[slot], expected.gap);
  EXPECT_EQ(row.Words(kClock)[slot], expected.clock);
  EXPECT_EQ(row.Words(kPastContacts)[slot], PackContacts(expected.past));
}

void CompareFormer(const PartnerRow& row, const OracleNode& expected) {
  const NodeHistory& got = row.history();
  const auto held = std::count_if(got.former_partner, got.former_partner + kFormerPartners,
                                  [](std::uint32_t partner) { return partner != kNobody; });
  EXPECT_EQ(held, std::ssize(expected.former));
  for (const OracleFormer& former : expected.former) {
    const std::int32_t place = FindFormer(got, former.key);
    ASSERT_GE(place, 0) << former.key;
    EXPECT_EQ(got.former_ordinal[place], former.last);
    EXPECT_EQ(got.former_row[place], former.row);
    EXPECT_EQ(got.former_contacts[place], PackContacts(former.contacts));
  }
  for (const auto& [target, target_row] : expected.past) EXPECT_TRUE(MayHaveMet(got, target));
}

void CompareRow(const PartnerRow& row, OracleNode& expected, std::uint32_t event_count) {
  const NodeHistory& got = row.history();
  EXPECT_EQ(got.first_ordinal, expected.first);
  CompareDirection(got.out, expected.out, event_count);
  CompareDirection(got.in, expected.in, event_count);
  EXPECT_EQ(got.burst, expected.burst);
  std::vector<std::uint32_t> targets = expected.targets, senders = expected.senders;
  targets.resize(kRecentTargets, kNobody);
  senders.resize(kRecentSenders, kNobody);
  EXPECT_TRUE(std::equal(targets.begin(), targets.end(), got.recent_target));
  EXPECT_TRUE(std::equal(senders.begin(), senders.end(), got.recent_sender));
  EXPECT_CLOSE(got.stay, expected.stay);
  EXPECT_CLOSE(got.out_rank, expected.out_rank);
  EXPECT_CLOSE(got.in_rank, expected.in_rank);
  EXPECT_CLOSE(got.return_time, expected.return_time);
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(kSampledTargets, got.target_count); ++i)
    EXPECT_TRUE(expected.past.contains({got.sampled_target[i], got.sampled_row[i]}));
  CompareFollowers(got.next_target, expected.next_target);
  CompareFollowers(got.reply, expected.reply);
  CompareFollowers(got.next_event_target, expected.next_event_target);
  CompareFollowers(got.next_source, expected.next_source);
  CompareFormer(row, expected);
  std::size_t taken = 0;
  for (std::int32_t i = 0; i < kSlots; ++i) taken += row.Words(SlotArray::kKey)[i] != kNobody;
  EXPECT_EQ(taken, expected.partners.size());
  for (const OraclePartner& partner : expected.partners) {
    SCOPED_TRACE("partner " + std::to_string(partner.key));
    const std::int32_t slot = row.Find(partner.key);
    ASSERT_GE(slot, 0);
    CompareSlot(row, slot, partner);
  }
}

PartnerTableOptions SmallTable(std::int32_t before_rows = 1024) {
  return {.max_nodes = kMaxNodes, .slots = kSlots, .before_rows = before_rows};
}

void CompareStream(std::int64_t max_nodes) {
  const std::vector<TestEvent> events = MakeEvents(12'000, 3);
  PartnerTable table({.max_nodes = max_nodes, .slots = kSlots});
  PartnerOracle oracle(max_nodes, kSlots);
  std::uint32_t count = 0;
  for (const TestEvent& e : events) {
    const PartnerEvent event = table.Admit(e.source, e.target, e.time_us);
    ObserveEvent(table.rows(), table.stream(), event, false);
    oracle.Observe(event);
    if (++count % 97 != 0 && count > 200) continue;
    ASSERT_EQ(table.nodes().size(), std::ssize(oracle.nodes()));
    for (auto& [id, node] : oracle.nodes()) {
      SCOPED_TRACE("after event " + std::to_string(count) + ", node " + std::to_string(id));
      ASSERT_EQ(table.nodes().Find(id), node.row);
      const PartnerRow row = table.rows().At(node.row);
      ASSERT_EQ(row.history().node, id);
      CompareRow(row, node, count);
      if (::testing::Test::HasFailure()) return;
    }
  }
  EXPECT_EQ(table.nodes().eviction_count() > 100, max_nodes < kNodes);
  EXPECT_EQ(table.stream().event_count, std::ssize(events));
}

TEST(PartnerTable, KeepsWhatAPlainModelKeeps) { CompareStream(kNodes); }

TEST(PartnerTable, KeepsWhatAPlainModelKeepsWhileNodesMakeRoom) { CompareStream(kMaxNodes); }

// More partners than slots and places of former ones, some of them often.
TEST(PartnerTable, KeepsThePartnersThatWereMetLast) {
  constexpr std::uint32_t kTargets = 120;
  PartnerTable table({.max_nodes = 1000, .slots = kSlots});
  PartnerOracle oracle(1000, kSlots);
  std::mt19937_64 random(8);
  for (std::uint32_t count = 1; count <= 4000; ++count) {
    const auto target = static_cast<std::uint32_t>(
        1 + (random() % 3 == 0 ? random() % kTargets : std::min(random() % 40, random() % 40)));
    const PartnerEvent event = table.Admit(0, target, count);
    ObserveEvent(table.rows(), table.stream(), event, false);
    oracle.Observe(event);
    if (count % 20 != 0) continue;
    SCOPED_TRACE(count);
    CompareRow(table.rows().At(table.nodes().Find(0)), oracle.nodes()[0], count);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(std::ssize(oracle.nodes()[0].former), kFormerPartners);
}

// The row's bytes but for the bookkeeping of groups.
std::vector<std::byte> ContentsOf(const PartnerRow& row, std::int64_t row_bytes) {
  std::vector<std::byte> bytes(row.base, row.base + row_bytes);
  NodeHistory& history = *reinterpret_cast<NodeHistory*>(bytes.data());
  history.group = 0;
  history.before = 0;
  return bytes;
}

TEST(PartnerTable, RowsMayBeGivenOutBeforeEventsAreTakenIn) {
  const std::vector<TestEvent> events = MakeEvents(3000, 4);
  PartnerTable single(SmallTable()), pieces(SmallTable());
  std::vector<PartnerEvent> admitted;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& [source, target, time_us] = events[i];
    ObserveEvent(single.rows(), single.stream(), single.Admit(source, target, time_us), false);
    admitted.push_back(pieces.Admit(source, target, time_us));
    if (i % 37 != 0) continue;
    for (const PartnerEvent& event : admitted)
      ObserveEvent(pieces.rows(), pieces.stream(), event, false);
    admitted.clear();
    EXPECT_TRUE(std::ranges::equal(single.used_rows(), pieces.used_rows())) << i;
  }
}

// `ahead` takes groups in, `behind` only what came before the group at hand.
TEST(PartnerTable, RowsReadAsBeforeTheGroup) {
  const std::vector<TestEvent> events = MakeEvents(4000, 5);
  PartnerTable ahead(SmallTable()), behind(SmallTable());
  std::size_t group_begin = 0;
  const auto catch_up = [&](std::size_t end) {
    for (; group_begin < end; ++group_begin) {
      const auto& [source, target, time_us] = events[group_begin];
      ObserveEvent(behind.rows(), behind.stream(), behind.Admit(source, target, time_us), false);
    }
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& [source, target, time_us] = events[i];
    if (i == 0 || ahead.stream().group_us != time_us) {
      catch_up(i);
      StartGroup(ahead.stream(), time_us);
    }
    EXPECT_EQ(ahead.stream().group_event_count, behind.stream().event_count);
    ObserveEvent(ahead.rows(), ahead.stream(), ahead.Admit(source, target, time_us), true);
    for (std::uint32_t row = 0; row <= kMaxNodes; ++row)
      ASSERT_TRUE(ContentsOf(ahead.rows().Before(row, ahead.stream().group), ahead.row_bytes()) ==
                  ContentsOf(behind.rows().At(row), behind.row_bytes()))
          << "event " << i << ", row " << row;
  }
}

TEST(PartnerTable, ANewNodeReadsAsUnknownBeforeTheGroup) {
  for (const std::uint32_t node : {0u, 1u}) {
    PartnerTable table(SmallTable());
    StartGroup(table.stream(), 5);
    ObserveEvent(table.rows(), table.stream(), table.Admit(node, 7, 5), true);
    const PartnerRow row = table.rows().Of(node, table.nodes().Find(node), table.stream().group);
    EXPECT_EQ(row.history().node, kNobody);
    EXPECT_EQ(row.history().out.novelty, 1.0f);
  }
}

TEST(PartnerTable, RowsBeyondTheCopiesReadAsTheyAre) {
  PartnerTable table(SmallTable(/*before_rows=*/2)), behind(SmallTable());
  const std::vector<TestEvent> past = {{0, 1, 10}, {2, 3, 20}, {1, 4, 30}};
  for (const auto& [source, target, time_us] : past) {
    ObserveEvent(table.rows(), table.stream(), table.Admit(source, target, time_us), true);
    ObserveEvent(behind.rows(), behind.stream(), behind.Admit(source, target, time_us), true);
  }
  StartGroup(table.stream(), 40);
  for (const TestEvent& e : std::vector<TestEvent>{{0, 5, 40}, {2, 4, 40}, {0, 1, 40}})
    ObserveEvent(table.rows(), table.stream(), table.Admit(e.source, e.target, e.time_us), true);
  const std::int64_t group = table.stream().group;
  for (std::uint32_t node = 0; node <= 5; ++node) {
    const std::uint32_t row = table.nodes().Find(node);
    const bool copied = node == 0 || node == 5;  // the first two that changed
    EXPECT_TRUE(ContentsOf(table.rows().Before(row, group), table.row_bytes()) ==
                ContentsOf((copied ? behind : table).rows().At(row), table.row_bytes()))
        << node;
  }
  EXPECT_EQ(table.stream().before_count, 2);
}

TEST(PartnerTable, SamplesFirstContactsUniformly) {
  constexpr std::uint32_t kSources = 200, kTargets = 64;
  PartnerTable table({.max_nodes = 1000, .slots = kSlots});
  double sum = 0;
  for (std::uint32_t source = 0; source < kSources; ++source) {
    for (std::uint32_t t = 0; t < kTargets; ++t)
      ObserveEvent(table.rows(), table.stream(), table.Admit(source, 500 + t, t), false);
    const NodeHistory& history = table.rows().At(table.nodes().Find(source)).history();
    for (const std::uint32_t target : history.sampled_target) sum += target - 500;
  }
  EXPECT_NEAR(sum / (kSources * kSampledTargets), (kTargets - 1) / 2.0, 1.5);
}

TEST(PartnerTable, ClearForgetsEverything) {
  PartnerTable used(SmallTable()), fresh(SmallTable());
  for (const TestEvent& e : MakeEvents(500, 6))
    ObserveEvent(used.rows(), used.stream(), used.Admit(e.source, e.target, e.time_us), false);
  used.Clear();
  for (PartnerTable* table : {&used, &fresh})
    for (const TestEvent& e : MakeEvents(300, 7))
      ObserveEvent(table->rows(), table->stream(), table->Admit(e.source, e.target, e.time_us),
                   false);
  EXPECT_TRUE(std::ranges::equal(used.used_rows(), fresh.used_rows()));
  EXPECT_EQ(std::memcmp(&used.stream(), &fresh.stream(), sizeof(PartnerStream)), 0);
}

}  // namespace
}  // namespace weft::cache
