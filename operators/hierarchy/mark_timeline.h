// MarkTimeline: the latest marks of other operators, in order of time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "graph/mark_batch.h"

namespace weft::operators::hierarchy {

// A mark, and up to when the stream was known when it came.
struct KeptMark {
  graph::Mark mark;
  graph::TimeUs known_us = 0;
  bool operator==(const KeptMark&) const = default;
};

// Thread-compatible.
class MarkTimeline {
 public:
  static constexpr std::size_t kMostText = 4096;  // bytes of a kind or a text; more are cut

  explicit MarkTimeline(std::int64_t most) : most_(most) {}

  // If there are too many, the one that begins first goes.
  void Add(graph::Mark mark, graph::TimeUs known_us);
  // The latest `most` that have any time in [from_us, to_us) and were known by `known_us`, in
  // order.
  std::vector<graph::Mark> In(graph::TimeUs from_us, graph::TimeUs to_us, graph::TimeUs known_us,
                              std::size_t most) const;
  const std::deque<KeptMark>& marks() const { return marks_; }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    std::uint64_t count = self.marks_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.most_), "at most max_marks marks");
      if (!archive.ok()) return;
      self.marks_.resize(count);
    }
    for (auto& kept : self.marks_) {
      archive.Value(kept.known_us);
      archive.Value(kept.mark.begin_us);
      archive.Value(kept.mark.end_us);
      archive.Value(kept.mark.node);
      for (auto* text : {&kept.mark.kind, &kept.mark.text}) {
        std::vector<char> bytes(text->begin(), text->end());
        archive.Array(bytes, kMostText);
        if constexpr (Archive::kLoads) text->assign(bytes.begin(), bytes.end());
      }
    }
  }

 private:
  std::int64_t most_;
  std::deque<KeptMark> marks_;  // by begin, then in the order in which they came
};

}  // namespace weft::operators::hierarchy
