#include "operators/link/grouped_link_model.h"

#include <algorithm>

#include "graph/check.h"

namespace weft::operators::link {
namespace {

// Events [begin, end) of `events`.
graph::EventSpan Slice(const graph::EventSpan& events, std::int64_t begin, std::int64_t end) {
  const auto first = static_cast<std::size_t>(begin);
  const auto count = static_cast<std::size_t>(end - begin);
  const auto width = static_cast<std::size_t>(events.feature_count);
  graph::EventSpan slice = events;
  slice.source = events.source.subspan(first, count);
  slice.target = events.target.subspan(first, count);
  slice.time_us = events.time_us.subspan(first, count);
  if (!events.label.empty()) slice.label = events.label.subspan(first, count);
  slice.feature = events.feature.subspan(first * width, count * width);
  return slice;
}

}  // namespace

void GroupedLinkModel::Advance(const LinkStep& step, const LinkStepScores& scores) {
  WEFT_CHECK(!step.learn || step.negative.size() == step.events.source.size());
  const std::int64_t count = step.events.size();
  for (std::int64_t begin = 0; begin < count;) {
    const std::int64_t end = GroupEnd(step.events.time_us, begin);
    for (std::int64_t at = begin; at < end; at += batch_)
      ScorePiece(step, scores, at, std::min(at + batch_, end));
    for (std::int64_t at = begin; at < end; at += batch_)
      Observe(Slice(step.events, at, std::min(at + batch_, end)));
    begin = end;
  }
}

std::int64_t GroupedLinkModel::GroupEnd(std::span<const graph::TimeUs> time_us,
                                        std::int64_t begin) const {
  const auto count = static_cast<std::int64_t>(time_us.size());
  if (reads_ == LinkReads::kBeforeEvent) return begin + 1;
  if (reads_ == LinkReads::kBeforeBatch) return std::min(begin + batch_, count);
  std::int64_t end = begin + 1;
  while (end < count &&
         time_us[static_cast<std::size_t>(end)] == time_us[static_cast<std::size_t>(begin)])
    ++end;
  return end;
}

void GroupedLinkModel::ScorePiece(const LinkStep& step, const LinkStepScores& scores,
                                  std::int64_t begin, std::int64_t end) {
  const auto first = static_cast<std::size_t>(begin);
  const auto count = static_cast<std::size_t>(end - begin);
  // Extras first: what Score leaves behind for Learn and Observe must not be disturbed.
  if (!step.extra.empty()) ScoreExtra(step, scores.extra, begin, end);
  const graph::EventSpan events = Slice(step.events, begin, end);
  const std::span<const graph::NodeId> negative =
      step.negative.empty() ? step.negative : step.negative.subspan(first, count);
  positive_.resize(count);
  negative_.resize(negative.size());
  Score(events, negative, positive_, negative_);
  for (std::size_t i = 0; i < count; ++i) scores.positive[first + i] = PairScore::Of(positive_[i]);
  for (std::size_t i = 0; i < negative.size(); ++i)
    scores.negative[first + i] = PairScore::Of(negative_[i]);
  if (step.learn) Learn(events, negative);
}

void GroupedLinkModel::ScoreExtra(const LinkStep& step, std::span<PairScore> score,
                                  std::int64_t begin, std::int64_t end) const {
  const graph::EventSpan events = Slice(step.events, begin, end);
  const auto count = static_cast<std::size_t>(events.size());
  const std::span<const std::int32_t> extra_begin =
      step.extra_begin.subspan(static_cast<std::size_t>(begin), count + 1);
  std::vector<graph::NodeId> source;
  for (std::size_t i = 0; i < count;) {
    // Events that are asked about for one time go together.
    const graph::TimeUs time_us = AskedTime(events, i);
    const auto from = static_cast<std::size_t>(extra_begin[i]);
    source.clear();
    for (; i < count && AskedTime(events, i) == time_us; ++i) {
      const std::int32_t extras = extra_begin[i + 1] - extra_begin[i];
      source.insert(source.end(), static_cast<std::size_t>(extras), events.source[i]);
    }
    if (source.empty()) continue;
    ScorePairs(source, step.extra.subspan(from, source.size()), time_us,
               score.subspan(from, source.size()));
  }
}

}  // namespace weft::operators::link
