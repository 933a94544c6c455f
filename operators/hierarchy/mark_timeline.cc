#include "operators/hierarchy/mark_timeline.h"

#include <algorithm>
#include <utility>

namespace weft::operators::hierarchy {

void MarkTimeline::Add(graph::Mark mark, graph::TimeUs known_us) {
  mark.kind.resize(std::min(mark.kind.size(), kMostText));
  mark.text.resize(std::min(mark.text.size(), kMostText));
  mark.end_us = std::max(mark.begin_us, mark.end_us);
  const auto place = std::ranges::upper_bound(
      marks_, mark.begin_us, {}, [](const KeptMark& kept) { return kept.mark.begin_us; });
  marks_.insert(place, {std::move(mark), known_us});
  if (static_cast<std::int64_t>(marks_.size()) > most_) marks_.pop_front();
}

std::vector<graph::Mark> MarkTimeline::In(graph::TimeUs from_us, graph::TimeUs to_us,
                                          graph::TimeUs known_us, std::size_t most) const {
  std::vector<graph::Mark> found;
  for (auto kept = marks_.rbegin(); kept != marks_.rend() && found.size() < most; ++kept) {
    const graph::Mark& mark = kept->mark;
    const bool overlaps =
        mark.begin_us < to_us && std::max(mark.end_us, mark.begin_us + 1) > from_us;
    if (overlaps && kept->known_us <= known_us) found.push_back(mark);
  }
  std::ranges::reverse(found);
  return found;
}

}  // namespace weft::operators::hierarchy
