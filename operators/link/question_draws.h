// QuestionDraws: for events of a file, the targets that the harder questions of the evaluation set
// them against. What each means: docs/evaluation.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/event_batch.h"
#include "operators/link/negative_targets.h"

namespace weft::operators::link {

// Draws by a counter hash of (seed, position, attempt), as NegativeTargets does. "Before" means in
// the file's order. No draw gives a true event of the same source and time.
class QuestionDraws {
 public:
  // `all` is the whole file, and the pool of `negatives` has all its targets in file order. Both
  // must outlive this.
  QuestionDraws(const graph::EventBatch& all, const NegativeTargets& negatives);

  // A target uniform over those that occurred before event `index`; kNoNode if the event's own
  // target did not, or if there is none.
  graph::NodeId Seen(std::uint64_t seed, std::int64_t index) const;

  // The same also where the event's own target is new; kNoNode if there is none at all.
  graph::NodeId AnySeen(std::uint64_t seed, std::int64_t index) const;

  const NegativeTargets& negatives() const { return negatives_; }

  // A target uniform over those that the event's source had before; kNoNode if there is none.
  graph::NodeId Historical(std::uint64_t seed, std::int64_t index) const;

  // As DrawCandidates, from what the source had before and from all targets of the file.
  std::vector<graph::NodeId> Candidates(std::uint64_t seed, std::int64_t index,
                                        std::size_t historical, std::size_t count) const;

 private:
  // What the event's source had before it, distinct, in order of first appearance.
  std::span<const graph::NodeId> Past(std::int64_t index) const;
  // The same without true events of this time.
  std::vector<graph::NodeId> PastThatDidNotHappen(std::int64_t index) const;
  void FindPast();

  const graph::EventBatch& all_;
  const NegativeTargets& negatives_;
  std::vector<std::int64_t> seen_before_;  // by event: distinct targets before it
  std::vector<bool> is_new_target_;        // by event: whether its target comes for the first time
  // The distinct targets of each source, in order of first appearance, and the event of that.
  std::vector<std::size_t> past_begin_;  // by source, and one more
  std::vector<graph::NodeId> past_target_;
  std::vector<std::int64_t> past_index_;
};

// At most `count` of the events [begin, end), in order: those with the smallest hashes.
std::vector<std::int64_t> DrawEvents(std::uint64_t seed, std::int64_t begin, std::int64_t end,
                                     std::int64_t count);

}  // namespace weft::operators::link
