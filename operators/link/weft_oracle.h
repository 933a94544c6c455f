// The features of a pair by their definitions over the whole list of past events, without tables,
// slots or lazy averages: what weft_features_test.cc compares with. Slow. It agrees with the model
// as long as no node has more partners than slots and no follower list is full.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cache/partner_row.h"
#include "operators/link/weft_features.h"

namespace weft::operators::link {

struct OracleEvent {
  std::uint32_t source, target;
  std::int64_t time_us;
  bool Has(std::uint32_t node) const { return source == node || target == node; }
  std::uint32_t Other(std::uint32_t node) const { return source == node ? target : source; }
};

class WeftOracle {
 public:
  WeftOracle(std::vector<OracleEvent> past, std::int64_t time_us, std::int32_t slots)
      : past_(std::move(past)), now_(time_us), slots_(slots) {
    const double span_us = past_.empty() ? 0 : static_cast<double>(time_us - past_.front().time_us);
    rate_ = span_us > 0 ? (count() + 1) / span_us : 0;
  }

  // All columns of a pair, by number.
  std::map<std::int32_t, double> Read(std::uint32_t u, std::uint32_t v) {
    columns_.clear();
    Node(u, kSourceLog, kSourcePlain);
    Node(v, kTargetLog, kTargetPlain);
    Pair(u, v);
    Met(u, v);
    Clock(u, v);
    Order(u, v);
    Followers(u, v);
    Flags(u, v);
    Common(u, v);
    Walks(u, v);
    Habits(u, v);
    return columns_;
  }

 private:
  static constexpr double kActivity[3] = {64, 1024, 16384};
  using Places = std::vector<std::int64_t>;  // of events in the list; empty: never
  using Keep = std::function<bool(const OracleEvent&)>;

  double count() const { return static_cast<double>(past_.size()); }
  double Never() const { return std::log1p(count()) + 1; }

  Places Where(const Keep& keep, std::int64_t end = -1) const {
    Places places;
    for (std::int64_t i = 0; i < (end < 0 ? std::ssize(past_) : end); ++i)
      if (keep(At(i))) places.push_back(i);
    return places;
  }
  const OracleEvent& At(std::int64_t i) const { return past_[static_cast<std::size_t>(i)]; }
  Places Sent(std::uint32_t u, std::int64_t end = -1) const {
    return Where([&](auto& e) { return e.source == u; }, end);
  }
  Places Received(std::uint32_t u, std::int64_t end = -1) const {
    return Where([&](auto& e) { return e.target == u; }, end);
  }
  Places Between(std::uint32_t u, std::uint32_t v) const {
    return Where([&](auto& e) { return e.source == u && e.target == v; });
  }
  Places Contacts(std::uint32_t u, std::uint32_t v, std::int64_t end = -1) const {
    return Where([&](auto& e) { return e.Has(u) && e.Other(u) == v; }, end);
  }
  // The partners that a node had before event `end`, and where it met them last.
  std::map<std::uint32_t, std::int64_t> Partners(std::uint32_t u, std::int64_t end = -1) const {
    std::map<std::uint32_t, std::int64_t> last;
    for (const std::int64_t i : Where([&](auto& e) { return e.Has(u); }, end))
      last[At(i).Other(u)] = i;
    return last;
  }

  double AgeOf(const Places& places) const {
    if (places.empty()) return Never();
    return std::log1p(static_cast<double>(now_ - At(places.back()).time_us) * rate_);
  }
  double StepsOf(const Places& places) const {
    return places.empty() ? Never() : std::log1p(count() - static_cast<double>(places.back()));
  }
  double Decayed(const Places& places, double events) const {
    double sum = 0;
    for (const std::int64_t i : places)
      sum += std::exp(-(count() - static_cast<double>(i)) / events);
    return std::log1p(10 * sum);
  }
  double MeanGap(const Places& places, double rate) const {
    double mean = 0;
    for (std::size_t k = 1; k < places.size(); ++k) {
      const auto gap = static_cast<double>(At(places[k]).time_us - At(places[k - 1]).time_us);
      mean = k == 1 ? gap : (1 - rate) * mean + rate * gap;
    }
    return std::log1p(mean * rate_);
  }
  static double LogSize(const Places& places) {
    return std::log1p(static_cast<double>(places.size()));
  }
  // Of these events of u, which were with somebody that it did not know.
  std::vector<bool> Fresh(std::uint32_t u, const Places& places) const {
    std::vector<bool> fresh;
    for (const std::int64_t i : places) fresh.push_back(Contacts(u, At(i).Other(u), i).empty());
    return fresh;
  }
  double FreshCount(std::uint32_t u, const Places& places) const {
    const std::vector<bool> fresh = Fresh(u, places);
    return static_cast<double>(std::count(fresh.begin(), fresh.end(), true));
  }

  void Direction(std::uint32_t w, const Places& places, const std::array<std::int32_t, 6>& log,
                 std::int32_t novelty_column) {
    columns_[log[0]] = AgeOf(places);
    columns_[log[1]] = StepsOf(places);
    columns_[log[2]] = LogSize(places);
    columns_[log[3]] = std::log1p(FreshCount(w, places));
    for (int s = 0; s < 3; ++s) columns_[log[4] + s] = Decayed(places, kActivity[s]);
    columns_[log[5]] = MeanGap(places, 0.2);
    double novelty = 1;
    for (const bool fresh : Fresh(w, places)) novelty = 0.9 * novelty + 0.1 * (fresh ? 1 : 0);
    columns_[novelty_column] = novelty;
  }

  void Node(std::uint32_t w, std::int32_t log, std::int32_t plain) {
    const Places out = Sent(w), in = Received(w);
    Direction(w, out,
              {log + kOutAge, log + kOutSteps, log + kOutCount, log + kOutPartners,
               log + kOutActivity, log + kOutGap},
              plain + kOutNovelty);
    Direction(w, in,
              {log + kInAge, log + kInSteps, log + kInCount, log + kInPartners, log + kInActivity,
               log + kInGap},
              plain + kInNovelty);
    const Places any = Where([&](auto& e) { return e.Has(w); });
    columns_[log + kKnownSince] =
        any.empty() ? 0 : std::log1p(count() - static_cast<double>(any.front()));
    columns_[log + kBurst] =
        LogSize(Where([&](auto& e) { return e.source == w && e.time_us == now_; }));
    columns_[plain + kHasSent] = !out.empty();
    columns_[plain + kHasReceived] = !in.empty();
    columns_[plain + kReceivedNow] = !in.empty() && At(in.back()).time_us == now_;
  }

  void Pair(std::uint32_t u, std::uint32_t v) {
    const Places out = Between(u, v), in = Between(v, u), any = Contacts(u, v);
    columns_[kPairOutAge] = AgeOf(out);
    columns_[kPairOutSteps] = StepsOf(out);
    columns_[kPairInAge] = AgeOf(in);
    columns_[kPairInSteps] = StepsOf(in);
    columns_[kPairOutCount] = LogSize(out);
    columns_[kPairInCount] = LogSize(in);
    columns_[kPairGap] = MeanGap(any, 0.3);
    columns_[kPairHasOut] = !out.empty();
    columns_[kPairHasIn] = !in.empty();
    columns_[kPairOwed] = !in.empty() && (out.empty() || in.back() > out.back());
    columns_[kPairOutNow] = !out.empty() && At(out.back()).time_us == now_;
    columns_[kPairInNow] = !in.empty() && At(in.back()).time_us == now_;
  }

  // Every partner has a slot here, so nothing is forgotten. A node that meets itself has sent only.
  void Met(std::uint32_t u, std::uint32_t v) {
    const Places any = Contacts(u, v), out = Between(u, v), in = Between(v, u);
    for (const std::int32_t steps : {kSourceMetSteps, kTargetMetSteps})
      columns_[steps] = StepsOf(any);
    for (const std::int32_t met : {kSourceMet, kTargetMet}) columns_[met] = !any.empty();
    columns_[kSourceMetOut] = columns_[kTargetMetIn] = LogSize(out);
    columns_[kSourceMetIn] = columns_[kTargetMetOut] = LogSize(in);
    if (u == v) columns_[kTargetMetOut] = LogSize(out);
    if (u == v) columns_[kSourceMetIn] = columns_[kTargetMetIn] = 0;
  }

  // Hours since 1970, the smaller one for a fraction.
  static std::int64_t HourOf(std::int64_t time_us) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(time_us) / 3.6e9));
  }
  static std::int64_t Within(std::int64_t hours, std::int64_t period) {
    return (hours % period + period) % period;
  }
  void Clock(std::uint32_t u, std::uint32_t v) {
    const std::int64_t hour = HourOf(now_);
    std::set<std::int64_t> hours, days;
    for (const std::int64_t i : Contacts(u, v)) {
      hours.insert(Within(HourOf(At(i).time_us), 24));
      days.insert(Within(HourOf(At(i).time_us), 168) / 24);
    }
    columns_[kPairHours] = std::log1p(static_cast<double>(hours.size()));
    columns_[kPairThisHour] = hours.contains(Within(hour, 24));
    columns_[kPairNextHour] =
        hours.contains(Within(hour + 1, 24)) || hours.contains(Within(hour - 1, 24));
    columns_[kPairThisDay] = days.contains(Within(hour, 168) / 24);
    const auto share = [&](const Places& places) {
      const auto now = std::count_if(places.begin(), places.end(), [&](std::int64_t i) {
        return Within(HourOf(At(i).time_us) - hour, 24) == 0;
      });
      return places.empty()
                 ? 0.0
                 : std::log1p(24.0 * static_cast<double>(now) / static_cast<double>(places.size()));
    };
    columns_[kSourceHourShare] = share(Sent(u));
    columns_[kTargetHourShare] = share(Received(v));
  }

  // log1p of how many of u's partners have more of something than v; as if all had, if v is none.
  double Rank(std::uint32_t u, std::uint32_t v, const std::function<double(std::uint32_t)>& value,
              bool only_positive = false) const {
    const std::map<std::uint32_t, std::int64_t> partners = Partners(u);
    if (!partners.contains(v) || (only_positive && value(v) <= 0)) return std::log1p(slots_);
    double rank = 0;
    for (const auto& [w, last] : partners) rank += value(w) > value(v) + 1e-9 ? 1 : 0;
    return std::log1p(rank);
  }
  static double LastOf(const Places& places) {
    return places.empty() ? 0 : 1 + static_cast<double>(places.back());
  }

  void Order(std::uint32_t u, std::uint32_t v) {
    const auto last = [&](std::uint32_t a, std::uint32_t b) { return LastOf(Contacts(a, b)); };
    const auto out = [&](std::uint32_t a, std::uint32_t b) { return LastOf(Between(a, b)); };
    const auto in = [&](std::uint32_t w) { return w == u ? 0 : out(w, u); };
    columns_[kSourceRank] = Rank(u, v, [&](auto w) { return last(u, w); });
    columns_[kSourceOutRank] = Rank(u, v, [&](auto w) { return out(u, w); });
    columns_[kTargetRank] = Rank(v, u, [&](auto w) { return last(v, w); });
    columns_[kTargetOutRank] = Rank(v, u, [&](auto w) { return out(v, w); });
    columns_[kRankByIn] = Rank(u, v, in);
    columns_[kRankByUnanswered] = Rank(
        u, v, [&](auto w) { return in(w) > out(u, w) ? in(w) : 0; }, true);
    columns_[kRankByCount] =
        Rank(u, v, [&](auto w) { return static_cast<double>(Contacts(u, w).size()); });
  }

  // Distinct, latest first.
  std::vector<std::uint32_t> Latest(const Places& events, bool targets, std::size_t size) const {
    std::vector<std::uint32_t> list;
    for (auto i = events.rbegin(); i != events.rend() && list.size() < size; ++i) {
      const std::uint32_t node = targets ? At(*i).target : At(*i).source;
      if (std::find(list.begin(), list.end(), node) == list.end()) list.push_back(node);
    }
    return list;
  }
  // How often a follower was put under a key, of all that were.
  struct Puts {
    double count = 0, total = 0;
    double share() const { return total == 0 ? 0 : count / total; }
  };
  // Every event that has a predecessor, by `former`, is put under what `key_of` takes of that.
  Puts PutsOf(std::uint32_t key, std::uint32_t follower,
              const std::function<Places(std::int64_t)>& former,
              const std::function<std::uint32_t(const OracleEvent&)>& key_of,
              const std::function<std::uint32_t(const OracleEvent&)>& put_of) const {
    Puts puts;
    for (std::int64_t i = 0; i < std::ssize(past_); ++i) {
      const Places before = former(i);
      if (before.empty() || key_of(At(before.back())) != key) continue;
      puts.count += put_of(At(i)) == follower ? 1 : 0;
      puts.total += 1;
    }
    EXPECT_LE(puts.total, cache::Followers::kHalveAt);
    return puts;
  }

  void Followers(std::uint32_t u, std::uint32_t v) {
    const auto source_of = [](const OracleEvent& e) { return e.source; };
    const auto target_of = [](const OracleEvent& e) { return e.target; };
    const auto sent = [&](std::int64_t i) { return Sent(At(i).source, i); };
    const auto heard = [&](std::int64_t i) { return Received(At(i).source, i); };
    const auto reached = [&](std::int64_t i) { return Received(At(i).target, i); };
    const auto stream = [&](std::int64_t i) { return i == 0 ? Places{} : Places{i - 1}; };
    const std::vector<std::uint32_t> last = Latest(Sent(u), true, 8);
    constexpr double kWeight[3] = {1, 0.6, 0.4};
    double sum = 0, largest = 0, far = 0, first_count = 0;
    for (std::size_t k = 0; k < last.size(); ++k) {
      const Puts puts = PutsOf(last[k], v, sent, target_of, target_of);
      if (k == 0) first_count = puts.count;
      if (k < 3) sum += kWeight[k] * puts.share();
      if (k < 3) largest = std::max(largest, puts.share());
      far += puts.share() / static_cast<double>(1 + k);
    }
    columns_[kFollowSum] = std::log1p(100 * sum);
    columns_[kFollowLargest] = largest;
    columns_[kFollowCount] = std::log1p(first_count);
    columns_[kFollowLong] = std::log1p(100 * far);
    double reply = 0, event = 0, source = 0;
    for (const std::uint32_t sender : Latest(Received(u), false, 1))
      reply = PutsOf(sender, v, heard, source_of, target_of).share();
    if (!past_.empty())
      event = PutsOf(past_.back().target, v, stream, target_of, target_of).share();
    const std::vector<std::uint32_t> senders = Latest(Received(v), false, 2);
    for (std::size_t k = 0; k < senders.size(); ++k)
      source +=
          PutsOf(senders[k], u, reached, source_of, source_of).share() / static_cast<double>(1 + k);
    columns_[kFollowReply] = std::log1p(100 * reply);
    columns_[kFollowEvent] = std::log1p(100 * event);
    columns_[kFollowSource] = std::log1p(100 * source);
  }

  void Flags(std::uint32_t u, std::uint32_t v) {
    const Places sent = Sent(u);
    std::vector<std::uint32_t> last = Latest(sent, true, 3);
    last.resize(3, cache::kNobody);
    for (std::size_t k = 0; k < 3; ++k)
      columns_[kIsLastTarget + static_cast<std::int32_t>(k)] = last[k] == v;
    const Places heard = Received(u);
    columns_[kIsLastSender] = !heard.empty() && At(heard.back()).source == v;
    bool is_next = false;
    for (std::size_t k = 1; k < sent.size(); ++k)
      if (At(sent[k - 1]).target == last[0]) is_next = At(sent[k]).target == v;
    columns_[kIsNext] = is_next;
    columns_[kIsEventTarget] = !past_.empty() && past_.back().target == v;
    columns_[kIsEventSource] = !past_.empty() && past_.back().source == v;
    columns_[kSourceIsEventSource] = !past_.empty() && past_.back().source == u;
  }

  double Recency(std::int64_t last) const {
    return 1 / (1 + std::log1p(count() - static_cast<double>(last)));
  }

  void Common(std::uint32_t u, std::uint32_t v) {
    const auto of_u = Partners(u), of_v = Partners(v);
    double common = 0, together = 0, rarity = 0, age = -1;
    std::set<std::uint32_t> either;
    for (const auto& [w, last] : of_u) either.insert(w);
    for (const auto& [w, last] : of_v) {
      either.insert(w);
      if (!of_u.contains(w)) continue;
      common += 1;
      together += Recency(of_u.at(w)) * Recency(last);
      rarity += 1 / std::log(2 + FreshCount(w, Sent(w)) + FreshCount(w, Received(w)));
      const double both = count() - static_cast<double>(std::min(of_u.at(w), last));
      age = age < 0 ? both : std::min(age, both);
    }
    columns_[kCommonCount] = std::log1p(common);
    columns_[kCommonRecency] = std::log1p(100 * together);
    columns_[kCommonRarity] = std::log1p(10 * rarity);
    columns_[kCommonAge] = age < 0 ? Never() : std::log1p(age);
    columns_[kCommonJaccard] = either.empty() ? 0 : common / static_cast<double>(either.size());
  }

  void Walks(std::uint32_t u, std::uint32_t v) {
    const auto of_u = Partners(u), of_v = Partners(v);
    std::vector<std::pair<std::int64_t, std::uint32_t>> latest;
    for (const auto& [w, last] : of_u) latest.push_back({-last, w});
    std::sort(latest.begin(), latest.end());
    double sum = 0, normalized = 0, largest = 0, first = 0;
    for (std::size_t k = 0; k < std::min<std::size_t>(8, latest.size()); ++k) {
      const std::uint32_t w = latest[k].second;
      if (w == v) continue;
      const auto of_w = Partners(w);
      double met = 0;
      for (const auto& [x, last] : of_v)
        if (x != u && of_w.contains(x)) met += Recency(of_w.at(x)) * Recency(last);
      const double weight = 1.0 / static_cast<double>(1 + k);
      sum += weight * met;
      if (met > 0)
        normalized += weight * met / std::sqrt(static_cast<double>(of_w.size() * of_v.size()));
      largest = std::max(largest, met);
      if (k == 0) first = met;
    }
    columns_[kWalkSum] = std::log1p(100 * sum);
    columns_[kWalkNormalized] = std::log1p(1000 * normalized);
    columns_[kWalkLargest] = std::log1p(100 * largest);
    columns_[kWalkFirst] = std::log1p(100 * first);
  }

  // Average over the node's events with somebody that it knew of where that one stood.
  double RankHabit(std::uint32_t w, const Places& events) const {
    double habit = 0;
    for (const std::int64_t i : events) {
      const auto partners = Partners(w, i);
      const auto met = partners.find(At(i).Other(w));
      if (met == partners.end()) continue;
      double rank = 0;
      for (const auto& [x, last] : partners) rank += last > met->second ? 1 : 0;
      habit = 0.8 * habit + 0.2 * std::log1p(rank);
    }
    return habit;
  }

  void Habits(std::uint32_t u, std::uint32_t v) {
    const Places sent = Sent(u);
    double stay = 0, return_time = 0;
    for (std::size_t k = 0; k < sent.size(); ++k) {
      const std::int64_t i = sent[k];
      const bool same = k > 0 && At(i).target == At(sent[k - 1]).target;
      stay = 0.85 * stay + 0.15 * (same ? 1 : 0);
      const Places met = Contacts(u, At(i).target, i);
      if (met.empty()) continue;
      const auto age_us = static_cast<double>(At(i).time_us - At(met.back()).time_us);
      const auto span_us = static_cast<double>(At(i - 1).time_us - At(0).time_us);
      const double gaps = span_us > 0 ? age_us * static_cast<double>(i) / span_us : 0;
      return_time = 0.8 * return_time + 0.2 * std::log1p(gaps);
    }
    columns_[kStay] = stay;
    columns_[kStayAgreement] = columns_[kIsLastTarget] > 0 ? stay : -stay;
    columns_[kOutHabit] = RankHabit(u, sent);
    columns_[kInHabit] = RankHabit(v, Received(v));
    columns_[kOutRankDifference] = columns_[kSourceRank] - columns_[kOutHabit];
    columns_[kInRankDifference] = columns_[kTargetRank] - columns_[kInHabit];
    const double age = std::min(columns_[kPairOutAge], columns_[kPairInAge]);
    columns_[kReturnDifference] = age - return_time;
    columns_[kPairGapDifference] = age - columns_[kPairGap];
    constexpr std::int32_t kSource = kSourceLog, kTarget = kTargetLog;
    columns_[kSourceGapDifference] = columns_[kSource + kOutAge] - columns_[kSource + kOutGap];
    columns_[kTargetGapDifference] = columns_[kTarget + kInAge] - columns_[kTarget + kInGap];
  }

  std::vector<OracleEvent> past_;
  std::int64_t now_;
  std::int32_t slots_;
  double rate_;
  std::map<std::int32_t, double> columns_;
};

}  // namespace weft::operators::link
