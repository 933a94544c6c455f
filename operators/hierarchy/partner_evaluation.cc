#include "operators/hierarchy/partner_evaluation.h"

#include <algorithm>
#include <map>

#include "cache/episode_view.h"
#include "operators/hierarchy/episode_stream.h"

namespace weft::operators::hierarchy {
namespace {

using graph::NodeId;
using graph::TimeUs;

constexpr TimeUs kSecond = 1'000'000;
constexpr std::array<TimeUs, 4> kWindowLengths = {5 * kSecond, 30 * kSecond, 120 * kSecond,
                                                  600 * kSecond};
constexpr std::array<std::array<bool, kPastStretches>, kPartnerMixes> kInMix = {{
    {true, true, true, true, false, false, false, true},
    {true, false, false, false, true, true, true, true},
    {true, true, true, true, true, true, true, true},
}};

using Counts = std::map<NodeId, std::int64_t>;  // by target

// Counts of the events of a stretch whose begin only moves forward.
class StretchCounts {
 public:
  explicit StretchCounts(const graph::EventBatch& events) : events_(events) {}

  // Events [first one at `begin_us` or later, end).
  void MoveTo(TimeUs begin_us, std::size_t end) {
    for (; end_ < end; ++end_) ++counts_[events_.source[end_]][events_.target[end_]];
    for (; begin_ < end_ && events_.time_us[begin_] < begin_us; ++begin_) {
      Counts& of = counts_[events_.source[begin_]];
      const auto found = of.find(events_.target[begin_]);
      if (--found->second == 0) of.erase(found);
    }
  }
  const Counts& Of(NodeId source) { return counts_[source]; }

 private:
  const graph::EventBatch& events_;
  std::size_t begin_ = 0, end_ = 0;
  std::map<NodeId, Counts> counts_;
};

NodeId Most(const Counts& counts) {
  if (counts.empty()) return graph::kNoNode;
  // Of equal counts the first.
  return std::ranges::max_element(counts, {}, [](const auto& one) { return one.second; })->first;
}

// A node's past targets, by stretch, as shares.
struct Shares {
  std::map<NodeId, std::array<double, kPastStretches>> of;  // by target

  void Add(PastStretch stretch, const Counts& counts) {
    double all = 0.0;
    for (const auto& [target, count] : counts) all += static_cast<double>(count);
    for (const auto& [target, count] : counts)
      of[target][stretch] = static_cast<double>(count) / all;
  }
};

class Mix {
 public:
  explicit Mix(PartnerMix mix) {
    for (std::size_t s = 0; s < kPastStretches; ++s) sum_[s] = kInMix[mix][s] ? 1.0 : 0.0;
  }
  std::array<double, kPastStretches> weight() const {
    double all = 0.0;
    for (const double sum : sum_) all += sum;
    std::array<double, kPastStretches> weight = sum_;
    for (double& one : weight) one /= all;
    return weight;
  }
  NodeId Most(const Shares& shares) const {
    NodeId best = graph::kNoNode;
    double best_share = 0.0;
    for (const auto& [target, share] : shares.of) {
      double mixed = 0.0;
      for (std::size_t s = 0; s < kPastStretches; ++s) mixed += sum_[s] * share[s];
      if (mixed > best_share) {
        best_share = mixed;
        best = target;
      }
    }
    return best;
  }
  // Each stretch gets the part that it had in what came.
  void Learn(const Shares& shares, NodeId came) {
    const auto found = shares.of.find(came);
    if (found == shares.of.end()) return;
    double mixed = 0.0;
    for (std::size_t s = 0; s < kPastStretches; ++s) mixed += sum_[s] * found->second[s];
    if (mixed <= 0.0) return;
    learned_ = true;
    for (std::size_t s = 0; s < kPastStretches; ++s) next_[s] += sum_[s] * found->second[s] / mixed;
  }
  void EndMoment() {
    constexpr double kStep = 0.02;
    double all = 0.0, before = 0.0;
    for (std::size_t s = 0; s < kPastStretches; ++s) {
      all += next_[s];
      before += sum_[s];
    }
    if (learned_)
      for (std::size_t s = 0; s < kPastStretches; ++s)
        sum_[s] = (1.0 - kStep) * sum_[s] / before + kStep * next_[s] / all;
    next_ = {};
    learned_ = false;
  }

 private:
  std::array<double, kPastStretches> sum_ = {}, next_ = {};
  bool learned_ = false;
};

// By source, what it does in events [begin, end) until `end_us`.
std::map<NodeId, Counts> CountNext(const graph::EventBatch& events, std::size_t begin,
                                   TimeUs end_us) {
  std::map<NodeId, Counts> next;
  for (std::size_t i = begin; i < events.time_us.size() && events.time_us[i] < end_us; ++i)
    ++next[events.source[i]][events.target[i]];
  return next;
}

// Where the open episodes of levels 1 to 3 began, as far as it is known.
std::array<TimeUs, 3> OpenBegins(const cache::EpisodeTree& tree) {
  std::array<TimeUs, 3> begins = {tree.begin_us(), tree.begin_us(), tree.begin_us()};
  const cache::EpisodeView view(tree);
  for (std::int32_t level = 1; level <= std::min(view.level_count(), 3); ++level)
    begins[static_cast<std::size_t>(level) - 1] = view.BeginUs(level, view.Closed(level).end);
  return begins;
}

}  // namespace

std::string_view NameOf(PastStretch stretch) {
  constexpr std::array<std::string_view, kPastStretches> kNames = {
      "last_5s",   "last_30s",    "last_2m",          "last_10m",
      "open_leaf", "open_parent", "open_grandparent", "all"};
  return kNames[stretch];
}

std::string_view NameOf(PartnerMix mix) {
  constexpr std::array<std::string_view, kPartnerMixes> kNames = {"windows", "hierarchy", "both"};
  return kNames[mix];
}

PartnerResult EvaluatePartners(const graph::EventBatch& events, const PartnerOptions& options) {
  EpisodeStream stream(options.snapshots, options.leaf);
  std::vector<cache::EpisodeChange> changes;
  std::vector<StretchCounts> stretches(kPastStretches, StretchCounts(events));
  std::vector<Mix> mixes = {Mix(kWindowMix), Mix(kHierarchyMix), Mix(kEveryMix)};
  PartnerResult result;
  TimeUs now_us = events.time_us.front() + options.every_us;
  for (std::int64_t i = 0; i < events.size(); ++i) {
    for (; events.time_us[static_cast<std::size_t>(i)] >= now_us; now_us += options.every_us) {
      const auto next = CountNext(events, static_cast<std::size_t>(i), now_us + options.horizon_us);
      if (next.empty()) {
        // A long silence: nothing is asked in it.
        const TimeUs ahead = events.time_us[static_cast<std::size_t>(i)] - now_us;
        now_us += ahead / options.every_us * options.every_us;
        continue;
      }
      const std::array<TimeUs, 3> begins = OpenBegins(stream.tree());
      for (std::size_t s = 0; s < kPastStretches; ++s) {
        TimeUs begin_us = events.time_us.front();
        if (s < kWindowLengths.size()) begin_us = now_us - kWindowLengths[s];
        if (s >= kOpenLeaf && s <= kOpenGrandparent) begin_us = begins[s - kOpenLeaf];
        stretches[s].MoveTo(begin_us, static_cast<std::size_t>(i));
      }
      PartnerMoment moment;
      moment.now_us = now_us;
      for (const auto& [source, counts] : next) {
        const NodeId came = Most(counts);
        Shares shares;
        ++moment.nodes;
        for (std::size_t s = 0; s < kPastStretches; ++s) {
          const Counts& past = stretches[s].Of(source);
          shares.Add(static_cast<PastStretch>(s), past);
          moment.by_stretch[s] += Most(past) == came ? 1 : 0;
        }
        for (std::size_t m = 0; m < mixes.size(); ++m)
          moment.by_mix[m] += mixes[m].Most(shares) == came ? 1 : 0;
        for (Mix& mix : mixes) mix.Learn(shares, came);
      }
      for (Mix& mix : mixes) mix.EndMoment();
      result.moments.push_back(moment);
    }
    stream.Push(graph::EventSpan::Of(events, i, i + 1), changes);
    changes.clear();
  }
  for (std::size_t m = 0; m < mixes.size(); ++m) result.weight[m] = mixes[m].weight();
  return result;
}

}  // namespace weft::operators::hierarchy
