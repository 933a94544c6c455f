// A plain model of what PartnerTable keeps: maps of nodes, everything that decays decayed at every
// event, in doubles. What partner_table_test.cc compares with.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cache/partner_observe.h"

namespace weft::cache {

struct OraclePartner {
  std::uint32_t key, row = 0, next = kNobody;
  std::uint32_t last = 0, last_out = 0, last_in = 0;  // ordinals
  std::int64_t last_us = 0, out_us = 0, in_us = 0;
  std::uint32_t out_count = 0, in_count = 0;
  Contacts past = {};
  std::uint32_t clock = 0;
  double gap = 0;
  Contacts all() const { return {past.out + out_count, past.in + in_count}; }
};

// A partner that lost its slot.
struct OracleFormer {
  std::uint32_t key, row, last;
  Contacts contacts;
};

struct OracleDirection {
  std::uint32_t count = 0, last = 0, partner_count = 0;
  std::int64_t last_us = 0;
  double activity[kScales] = {};
  double novelty = 1, gap = 0;
};

struct OracleFollowers {
  std::vector<std::pair<std::uint32_t, int>> slots;
  int total = 0;

  void Put(std::uint32_t key) {
    auto found = std::find_if(slots.begin(), slots.end(),
                              [&](const auto& s) { return s.first == key && s.second > 0; });
    if (found == slots.end()) {
      const auto smallest = std::min_element(slots.begin(), slots.end(),
                                             [](auto& a, auto& b) { return a.second < b.second; });
      const bool is_full = slots.size() == kFollowerSlots;
      if (is_full || (smallest != slots.end() && smallest->second == 0)) {
        *smallest = {key, 0};
        found = smallest;
      } else {
        slots.push_back({key, 0});
        found = slots.end() - 1;
      }
    }
    ++found->second;
    if (++total <= 200) return;
    for (auto& slot : slots) slot.second /= 2;
    total /= 2;
  }
  std::map<std::uint32_t, int> Counts() const {
    std::map<std::uint32_t, int> counts;
    for (const auto& [key, count] : slots)
      if (count > 0) counts[key] = count;
    return counts;
  }
};

struct OracleNode {
  std::uint32_t row = 0, first = 0, burst = 0;
  std::uint64_t active = 0;
  OracleDirection out, in;
  std::vector<OraclePartner> partners;
  std::vector<OracleFormer> former;
  std::vector<std::uint32_t> targets, senders;             // distinct, latest first
  std::set<std::pair<std::uint32_t, std::uint32_t>> past;  // targets and their rows
  double stay = 0, out_rank = 0, in_rank = 0, return_time = 0;
  OracleFollowers next_target, reply, next_event_target, next_source;

  OraclePartner* Find(std::uint32_t key) {
    for (OraclePartner& p : partners)
      if (p.key == key) return &p;
    return nullptr;
  }
  double RankOf(const OraclePartner& partner) const {
    const auto later = std::count_if(partners.begin(), partners.end(),
                                     [&](auto& p) { return p.last > partner.last; });
    return std::log1p(static_cast<double>(later));
  }
};

inline void MoveTo(double& average, double value, double rate) {
  average += rate * (value - average);
}

inline void PutFirst(std::vector<std::uint32_t>& list, std::uint32_t key, std::size_t size) {
  std::erase(list, key);
  list.insert(list.begin(), key);
  if (list.size() > size) list.pop_back();
}

class PartnerOracle {
 public:
  PartnerOracle(std::int64_t max_nodes, std::int32_t slots)
      : max_nodes_(max_nodes), slots_(slots) {}

  void Observe(const PartnerEvent& e) {
    ++now_;
    for (auto& [id, node] : nodes_) Decay(node);
    Admit(e.source, e.source_row, 2 * std::uint64_t{now_});
    Admit(e.target, e.target_row, 2 * std::uint64_t{now_} + 1);
    if (now_ == 1) first_us_ = last_us_ = e.time_us;
    Follow(e);
    Habits(e);
    Contact(e);
    last_target_ = e.target;
    last_target_row_ = e.target_row;
    first_us_ = std::min(first_us_, e.time_us);
    last_us_ = std::max(last_us_, e.time_us);
  }
  std::map<std::uint32_t, OracleNode>& nodes() { return nodes_; }

 private:
  static void Decay(OracleNode& node) {
    const double activity[kScales] = {64, 1024, 16384};
    for (int s = 0; s < kScales; ++s) {
      node.out.activity[s] *= std::exp(-1 / activity[s]);
      node.in.activity[s] *= std::exp(-1 / activity[s]);
    }
  }

  void Admit(std::uint32_t id, std::uint32_t row, std::uint64_t active) {
    if (!nodes_.contains(id) && std::ssize(nodes_) == max_nodes_) {
      const auto oldest = std::min_element(
          nodes_.begin(), nodes_.end(),
          [](const auto& a, const auto& b) { return a.second.active < b.second.active; });
      EXPECT_EQ(oldest->second.row, row) << "the row of the longest inactive";
      nodes_.erase(oldest);
    }
    OracleNode& node = nodes_[id];
    node.row = row;
    node.active = active;
    if (node.first == 0) node.first = now_;
  }

  void Follow(const PartnerEvent& e) {
    OracleNode& u = nodes_[e.source];
    OracleNode& v = nodes_[e.target];
    const auto node_at = [&](OracleNode& owner, const std::vector<std::uint32_t>& list) {
      OraclePartner* partner = list.empty() ? nullptr : owner.Find(list[0]);
      return partner == nullptr ? nullptr : NodeAt(partner->key, partner->row);
    };
    if (OracleNode* w = node_at(u, u.targets)) w->next_target.Put(e.target);
    if (OracleNode* w = node_at(u, u.senders)) w->reply.Put(e.target);
    if (OracleNode* w = node_at(v, v.senders)) w->next_source.Put(e.source);
    if (now_ > 1)
      if (OracleNode* w = NodeAt(last_target_, last_target_row_))
        w->next_event_target.Put(e.target);
    if (OraclePartner* last = u.targets.empty() ? nullptr : u.Find(u.targets[0]))
      last->next = e.target;
  }

  // Unless it lost that row meanwhile.
  OracleNode* NodeAt(std::uint32_t id, std::uint32_t row) {
    const auto found = nodes_.find(id);
    return found == nodes_.end() || found->second.row != row ? nullptr : &found->second;
  }

  void Habits(const PartnerEvent& e) {
    OracleNode& u = nodes_[e.source];
    OracleNode& v = nodes_[e.target];
    MoveTo(u.stay, !u.targets.empty() && u.targets[0] == e.target ? 1 : 0, 0.15);
    if (const OraclePartner* p = u.Find(e.target)) {
      MoveTo(u.out_rank, u.RankOf(*p), 0.2);
      const std::int64_t met_us = p->out_count == 0  ? p->in_us
                                  : p->in_count == 0 ? p->out_us
                                                     : std::max(p->out_us, p->in_us);
      const double span_us = static_cast<double>(last_us_ - first_us_);
      const double gaps =
          span_us > 0 ? static_cast<double>(e.time_us - met_us) * (now_ - 1) / span_us : 0;
      MoveTo(u.return_time, std::log1p(std::max(gaps, 0.0)), 0.2);
    }
    if (const OraclePartner* p = v.Find(e.source)) MoveTo(v.in_rank, v.RankOf(*p), 0.2);
  }

  // Of the half of the partners without contact for longest, the one with the highest age for each
  // contact joins the former ones, of which those met last stay.
  void GiveUpOne(OracleNode& owner) const {
    std::ranges::sort(owner.partners, {}, &OraclePartner::last);
    const auto use = [this](const OraclePartner& p) {
      return (p.all().out + p.all().in) / static_cast<double>(now_ - p.last);
    };
    const auto least = std::min_element(owner.partners.begin(), owner.partners.begin() + slots_ / 2,
                                        [&](auto& a, auto& b) { return use(a) < use(b); });
    const OracleFormer former{least->key, least->row, least->last, least->all()};
    if (owner.former.size() == kFormerPartners)
      owner.former.erase(std::min_element(owner.former.begin(), owner.former.end(),
                                          [](auto& a, auto& b) { return a.last < b.last; }));
    owner.former.push_back(former);
    owner.partners.erase(least);
  }

  // Hours into a period that began in 1970.
  static std::int32_t Phase(std::int64_t time_us, std::int32_t hours) {
    const double whole = std::floor(static_cast<double>(time_us) / 3.6e9);
    return static_cast<std::int32_t>(whole - hours * std::floor(whole / hours));
  }

  // True if the partner is new.
  bool Meet(OracleNode& owner, std::uint32_t key, std::uint32_t row, bool out,
            std::int64_t time_us) {
    OraclePartner* p = owner.Find(key);
    const bool fresh = p == nullptr;
    if (fresh) {
      const auto former = std::find_if(owner.former.begin(), owner.former.end(),
                                       [&](auto& f) { return f.key == key; });
      const Contacts past = former == owner.former.end() ? Contacts{} : former->contacts;
      if (former != owner.former.end()) owner.former.erase(former);
      if (std::ssize(owner.partners) == slots_) GiveUpOne(owner);
      p = &owner.partners.emplace_back(OraclePartner{.key = key, .past = past});
    } else {
      const double gap = std::max(0.0, static_cast<double>(time_us - p->last_us));
      if (p->out_count + p->in_count == 1)
        p->gap = gap;
      else
        MoveTo(p->gap, gap, 0.3);
    }
    p->clock |= 1u << Phase(time_us, 24) | 1u << (24 + Phase(time_us, 168) / 24);
    p->row = row;
    p->last = (out ? p->last_out : p->last_in) = now_;
    p->last_us = (out ? p->out_us : p->in_us) = time_us;
    ++(out ? p->out_count : p->in_count);
    return fresh;
  }

  void Direct(OracleDirection& d, std::int64_t time_us, bool fresh) {
    const double gap = std::max(0.0, static_cast<double>(time_us - d.last_us));
    if (d.count == 1) d.gap = gap;
    if (d.count > 1) MoveTo(d.gap, gap, 0.2);
    for (double& activity : d.activity) activity += 1;
    MoveTo(d.novelty, fresh ? 1 : 0, 0.1);
    d.partner_count += fresh ? 1 : 0;
    d.last_us = d.count == 0 ? time_us : std::max(d.last_us, time_us);
    d.last = now_;
    ++d.count;
  }

  void Contact(const PartnerEvent& e) {
    OracleNode& u = nodes_[e.source];
    OracleNode& v = nodes_[e.target];
    if (u.out.count == 0 || e.time_us > u.out.last_us) u.burst = 0;
    if (u.out.count == 0 || e.time_us >= u.out.last_us) ++u.burst;
    bool fresh = Meet(u, e.target, e.target_row, true, e.time_us);
    Direct(u.out, e.time_us, fresh);
    u.past.insert({e.target, e.target_row});
    if (e.source != e.target) fresh = Meet(v, e.source, e.source_row, false, e.time_us);
    Direct(v.in, e.time_us, fresh);
    PutFirst(u.targets, e.target, kRecentTargets);
    PutFirst(v.senders, e.source, kRecentSenders);
  }

  std::int64_t max_nodes_;
  std::int32_t slots_;
  std::uint32_t now_ = 0, last_target_ = 0, last_target_row_ = 0;
  std::int64_t first_us_ = 0, last_us_ = 0;
  std::map<std::uint32_t, OracleNode> nodes_;
};

}  // namespace weft::cache
