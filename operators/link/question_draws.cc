#include "operators/link/question_draws.h"

#include <algorithm>
#include <tuple>

#include "gpu/host_device.h"
#include "operators/link/candidate_draws.h"

namespace weft::operators::link {
namespace {

// Draws before the draw gives up and looks at everything.
constexpr std::uint64_t kTries = 32;

std::uint64_t Hash(std::uint64_t seed, std::int64_t index, std::uint64_t slot) {
  return gpu::CounterHash(seed, static_cast<std::uint64_t>(index), slot);
}

}  // namespace

QuestionDraws::QuestionDraws(const graph::EventBatch& all, const NegativeTargets& negatives)
    : all_(all), negatives_(negatives) {
  std::vector<bool> occurred;
  std::int64_t distinct = 0;
  for (const graph::NodeId target : all.target) {
    if (occurred.size() <= target) occurred.resize(std::size_t{target} + 1, false);
    seen_before_.push_back(distinct);
    is_new_target_.push_back(!occurred[target]);
    distinct += occurred[target] ? 0 : 1;
    occurred[target] = true;
  }
  FindPast();
}

void QuestionDraws::FindPast() {
  struct Pair {
    graph::NodeId source;
    graph::NodeId target;
    std::int64_t index;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < all_.source.size(); ++i)
    pairs.push_back({all_.source[i], all_.target[i], static_cast<std::int64_t>(i)});
  std::sort(pairs.begin(), pairs.end(), [](const Pair& one, const Pair& other) {
    return std::tie(one.source, one.target, one.index) <
           std::tie(other.source, other.target, other.index);
  });
  const auto same = [](const Pair& one, const Pair& other) {
    return one.source == other.source && one.target == other.target;
  };
  pairs.erase(std::unique(pairs.begin(), pairs.end(), same), pairs.end());
  std::sort(pairs.begin(), pairs.end(), [](const Pair& one, const Pair& other) {
    return std::tie(one.source, one.index) < std::tie(other.source, other.index);
  });
  const std::size_t sources = pairs.empty() ? 0 : std::size_t{pairs.back().source} + 1;
  past_begin_.assign(sources + 1, 0);
  for (const Pair& pair : pairs) {
    ++past_begin_[pair.source + 1];
    past_target_.push_back(pair.target);
    past_index_.push_back(pair.index);
  }
  for (std::size_t source = 0; source < sources; ++source)
    past_begin_[source + 1] += past_begin_[source];
}

std::span<const graph::NodeId> QuestionDraws::Past(std::int64_t index) const {
  const graph::NodeId source = all_.source[static_cast<std::size_t>(index)];
  const std::size_t begin = past_begin_[source];
  const std::size_t count = past_begin_[source + 1] - begin;
  const auto first_indices = std::span(past_index_).subspan(begin, count);
  const auto end = std::lower_bound(first_indices.begin(), first_indices.end(), index);
  return std::span(past_target_)
      .subspan(begin, static_cast<std::size_t>(end - first_indices.begin()));
}

std::vector<graph::NodeId> QuestionDraws::PastThatDidNotHappen(std::int64_t index) const {
  std::vector<graph::NodeId> targets;
  for (const graph::NodeId target : Past(index)) {
    if (!negatives_.Happened(index, target)) targets.push_back(target);
  }
  return targets;
}

graph::NodeId QuestionDraws::Seen(std::uint64_t seed, std::int64_t index) const {
  const auto row = static_cast<std::size_t>(index);
  return is_new_target_[row] ? graph::kNoNode : negatives_.Draw(seed, index, seen_before_[row]);
}

graph::NodeId QuestionDraws::AnySeen(std::uint64_t seed, std::int64_t index) const {
  return negatives_.Draw(seed, index, seen_before_[static_cast<std::size_t>(index)]);
}

graph::NodeId QuestionDraws::Historical(std::uint64_t seed, std::int64_t index) const {
  const std::span<const graph::NodeId> past = Past(index);
  if (past.empty()) return graph::kNoNode;
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    const graph::NodeId target = past[Hash(seed, index, attempt) % past.size()];
    if (!negatives_.Happened(index, target)) return target;
  }
  const std::vector<graph::NodeId> left = PastThatDidNotHappen(index);
  return left.empty() ? graph::kNoNode : left[Hash(seed, index, kTries) % left.size()];
}

std::vector<graph::NodeId> QuestionDraws::Candidates(std::uint64_t seed, std::int64_t index,
                                                     std::size_t historical,
                                                     std::size_t count) const {
  const std::span<const graph::NodeId> pool = negatives_.pool();
  return DrawCandidates(
      {.past = PastThatDidNotHappen(index),
       .pool_size = pool.size(),
       .pool = [pool](std::uint64_t place) { return pool[place]; },
       .happened = [&](graph::NodeId target) { return negatives_.Happened(index, target); }},
      historical, count, seed, static_cast<std::uint64_t>(index));
}

std::vector<std::int64_t> DrawEvents(std::uint64_t seed, std::int64_t begin, std::int64_t end,
                                     std::int64_t count) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  for (std::int64_t index = begin; index < end; ++index)
    order.emplace_back(Hash(seed, index, 0), index);
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  std::vector<std::int64_t> events;
  events.reserve(order.size());
  for (const auto& [hash, index] : order) events.push_back(index);
  std::sort(events.begin(), events.end());
  return events;
}

}  // namespace weft::operators::link
