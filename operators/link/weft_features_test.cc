// The features of a pair against their definitions (weft_oracle.h), and what they must not depend
// on.
#include "operators/link/weft_features.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cache/partner_table.h"
#include "operators/link/weft_groups.h"
#include "operators/link/weft_kernels.h"
#include "operators/link/weft_oracle.h"
#include "operators/link/weft_pair.h"

namespace weft::operators::link {
namespace {

// So few that neither partners nor followers overflow.
constexpr std::uint32_t kNodes = 15;
constexpr std::int32_t kSlots = 16;

// Favourites, self loops, equal times.
std::vector<OracleEvent> MakeEvents(std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<OracleEvent> events;
  std::int64_t time_us = 1'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    if (random() % 5 < 3) time_us += 1'000'000 * static_cast<std::int64_t>(random() % 2000);
    const auto source = static_cast<std::uint32_t>(random() % kNodes);
    auto target = static_cast<std::uint32_t>(
        random() % 3 == 0 ? random() % kNodes : (source * 2 + random() % 3) % kNodes);
    if (random() % 20 == 0) target = source;
    events.push_back({source, target, time_us});
  }
  return events;
}

using Features = std::vector<float>;

// A table and the events that it took in.
class Stream {
 public:
  explicit Stream(const cache::PartnerTableOptions& options = {.max_nodes = 100, .slots = kSlots})
      : table_(options) {}

  void Observe(const OracleEvent& e, bool keep_before = false) {
    const cache::PartnerEvent event = table_.Admit(e.source, e.target, e.time_us);
    cache::ObserveEvent(table_.rows(), table_.stream(), event, keep_before);
  }
  WeftNow Now(std::int64_t time_us) const { return NowOfRead(table_.stream(), time_us); }
  Features Read(const WeftNow& now, std::uint32_t u, std::uint32_t v) {
    WeftSource source;
    ReadSource(table_.rows(), now, u, table_.nodes().Find(u), source);
    Features features(kWeftStride, std::nanf(""));
    ReadPair(table_.rows(), source, v, table_.nodes().Find(v), features.data());
    return features;
  }
  cache::PartnerTable& table() { return table_; }

 private:
  cache::PartnerTable table_;
};

using ColumnNames = std::map<std::int32_t, std::string>;
#define NAME(name) \
  { k##name, #name }
const ColumnNames kNodeLogs = {
    NAME(OutAge),  NAME(OutSteps),    NAME(InAge),      NAME(InSteps),     NAME(OutCount),
    NAME(InCount), NAME(OutPartners), NAME(InPartners), NAME(OutActivity), NAME(InActivity),
    NAME(OutGap),  NAME(InGap),       NAME(KnownSince), NAME(Burst)};
const ColumnNames kNodePlains = {NAME(HasSent), NAME(HasReceived), NAME(OutNovelty),
                                 NAME(InNovelty), NAME(ReceivedNow)};
const ColumnNames kPairs = {NAME(PairOutAge),
                            NAME(PairOutSteps),
                            NAME(PairInAge),
                            NAME(PairInSteps),
                            NAME(PairOutCount),
                            NAME(PairInCount),
                            NAME(PairGap),
                            NAME(SourceRank),
                            NAME(SourceOutRank),
                            NAME(TargetRank),
                            NAME(TargetOutRank),
                            NAME(FollowSum),
                            NAME(FollowCount),
                            NAME(CommonCount),
                            NAME(CommonRecency),
                            NAME(CommonRarity),
                            NAME(CommonAge),
                            NAME(WalkSum),
                            NAME(WalkNormalized),
                            NAME(WalkLargest),
                            NAME(WalkFirst),
                            NAME(RankByIn),
                            NAME(RankByUnanswered),
                            NAME(RankByCount),
                            NAME(FollowLong),
                            NAME(FollowReply),
                            NAME(FollowEvent),
                            NAME(FollowSource),
                            NAME(SourceMetSteps),
                            NAME(SourceMetOut),
                            NAME(SourceMetIn),
                            NAME(TargetMetSteps),
                            NAME(TargetMetOut),
                            NAME(TargetMetIn),
                            NAME(PairHours),
                            NAME(SourceHourShare),
                            NAME(TargetHourShare),
                            NAME(PairHasOut),
                            NAME(PairHasIn),
                            NAME(PairOwed),
                            NAME(PairOutNow),
                            NAME(PairInNow),
                            NAME(SourceMet),
                            NAME(TargetMet),
                            NAME(PairThisHour),
                            NAME(PairNextHour),
                            NAME(PairThisDay),
                            NAME(IsLastTarget),
                            NAME(IsLastSender),
                            NAME(IsNext),
                            NAME(FollowLargest),
                            NAME(CommonJaccard),
                            NAME(Stay),
                            NAME(StayAgreement),
                            NAME(OutHabit),
                            NAME(InHabit),
                            NAME(IsEventTarget),
                            NAME(IsEventSource),
                            NAME(SourceIsEventSource),
                            NAME(OutRankDifference),
                            NAME(InRankDifference),
                            NAME(ReturnDifference),
                            NAME(PairGapDifference),
                            NAME(SourceGapDifference),
                            NAME(TargetGapDifference),
                            {kWeftColumnCount, "padding"}};
#undef NAME

std::string ColumnName(std::int32_t column) {
#define NAME(name) \
  { k##name, #name }
  const auto find = [](const ColumnNames& names, std::int32_t place) {
    const auto after = std::prev(names.upper_bound(place));
    const std::int32_t offset = place - after->first;
    return offset == 0 ? after->second : after->second + "+" + std::to_string(offset);
  };
  if (column < kTargetLog) return "source " + find(kNodeLogs, column);
  if (column < kPairOutAge) return "target " + find(kNodeLogs, column - kTargetLog);
  if (column >= kSourcePlain && column < kTargetPlain)
    return "source " + find(kNodePlains, column - kSourcePlain);
  if (column >= kTargetPlain && column < kPairHasOut)
    return "target " + find(kNodePlains, column - kTargetPlain);
  return find(kPairs, column);
}

void ExpectFinite(const Features& features) {
  for (std::int32_t k = 0; k < kWeftStride; ++k)
    EXPECT_TRUE(std::isfinite(features[k]) && std::abs(features[k]) < 100.0f)
        << ColumnName(k) << " is " << features[k];
  // Logarithms of one and a count.
  for (std::int32_t k = 0; k < kLogEnd; ++k) EXPECT_GE(features[k], 0.0f) << ColumnName(k);
}

TEST(WeftFeatures, AgreeWithTheirDefinitionsOverAllPastEvents) {
  const std::vector<OracleEvent> events = MakeEvents(900, 7);
  Stream stream;
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i <= events.size(); ++i) {
    if (i < 25 || i % 60 == 0 || i == events.size()) {
      const std::int64_t last_us = i == 0 ? 1'000'000 : events[i - 1].time_us;
      const std::int64_t time_us = last_us + (random() % 2 == 0 ? 0 : 1'234'000'000);
      WeftOracle oracle({events.begin(), events.begin() + static_cast<std::ptrdiff_t>(i)}, time_us,
                        kSlots);
      for (int pair = 0; pair < 12; ++pair) {
        // Sometimes nobody knows them.
        const auto u = static_cast<std::uint32_t>(random() % (kNodes + 1));
        const auto v = static_cast<std::uint32_t>(random() % (kNodes + 2));
        const Features got = stream.Read(stream.Now(time_us), u, v);
        const std::map<std::int32_t, double> expected = oracle.Read(u, v);
        ASSERT_EQ(std::ssize(expected), kWeftColumnCount);
        for (const auto& [column, value] : expected)
          EXPECT_NEAR(got[column], value, 1e-4 * std::abs(value) + 1e-5)
              << ColumnName(column) << " of " << u << " and " << v << " after " << i << " events";
        ExpectFinite(got);
      }
    }
    if (::testing::Test::HasFailure()) return;
    if (i < events.size()) stream.Observe(events[i]);
  }
}

// Hours and days are of the clock, the only unit of time that columns know.
bool IsOfClock(std::int32_t column) {
  for (const WeftGroup& group : WeftGroupList())
    for (const WeftColumnRange& range : group.columns)
      if (column >= range.begin && column < range.end) return group.name == "clock";
  return false;
}

TEST(WeftFeatures, DependNeitherOnTheUnitNorOnTheOriginOfTime) {
  Stream plain, longer, shifted;
  constexpr std::int64_t kWeekUs = 604'800'000'000;  // clocks know the week
  constexpr std::int64_t kShift = -1000 * kWeekUs;
  std::int64_t place = 0;
  for (const OracleEvent& e : MakeEvents(1500, 8)) {
    if (++place % 7 == 0) {
      const std::int64_t time_us = e.time_us;
      const Features a = plain.Read(plain.Now(time_us), e.source, e.target);
      const Features b = longer.Read(longer.Now(1000 * time_us), e.source, e.target);
      const Features c = shifted.Read(shifted.Now(time_us + kShift), e.source, e.target);
      for (std::int32_t k = 0; k < kWeftColumnCount; ++k) {
        if (!IsOfClock(k)) {
          EXPECT_NEAR(a[k], b[k], 1e-3) << ColumnName(k) << " with longer times";
        }
        EXPECT_EQ(a[k], c[k]) << ColumnName(k) << " with shifted times";
      }
      if (::testing::Test::HasFailure()) return;
    }
    plain.Observe(e);
    longer.Observe({e.source, e.target, 1000 * e.time_us});
    shifted.Observe({e.source, e.target, e.time_us + kShift});
  }
}

// Late events, nodes that make room for others, groups that change more rows than are kept.
TEST(WeftFeatures, AreFiniteWhateverComes) {
  Stream stream({.max_nodes = 10, .slots = 8, .before_rows = 3});
  std::mt19937_64 random(2);
  std::int64_t time_us = 0;
  for (const OracleEvent& e : MakeEvents(3000, 9)) {
    if (random() % 4 == 0) {
      time_us = e.time_us - (random() % 5 == 0 ? 10'000'000'000 : 0);
      cache::StartGroup(stream.table().stream(), time_us);
    }
    for (const std::uint32_t target : {e.target, kUnknownTarget, std::uint32_t{99}})
      for (const std::uint32_t source : {e.source, kUnknownSource, std::uint32_t{98}}) {
        ExpectFinite(stream.Read(NowOfGroup(stream.table().stream(), time_us), source, target));
        ExpectFinite(stream.Read(stream.Now(time_us), source, target));
      }
    if (::testing::Test::HasFailure()) return;
    stream.Observe({e.source, e.target, time_us}, true);
  }
}

TEST(WeftFeatures, NodesWithoutARowAreAllTheSame) {
  Stream stream;
  for (const OracleEvent& e : MakeEvents(300, 10)) stream.Observe(e);
  const WeftNow now = stream.Now(2'000'000);
  EXPECT_EQ(stream.Read(now, 3, kUnknownTarget), stream.Read(now, 3, 77));
  EXPECT_EQ(stream.Read(now, kUnknownSource, 3), stream.Read(now, 78, 3));
  EXPECT_EQ(stream.Read(now, kUnknownSource, kUnknownTarget), stream.Read(now, 78, 77));
  EXPECT_EQ(Stream().Read(Stream().Now(5), 0, 0), Stream().Read(Stream().Now(5), 7, 7));
}

}  // namespace
}  // namespace weft::operators::link
