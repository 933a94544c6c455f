// `negative_sampler`: gives every event a target that did not come, for learning and for measuring.
// See negative_sampler.md.
//
//   EVENTS (EventBatch) -> CANDIDATES (LinkCandidates), one row an event.
#pragma once

#include <optional>
#include <vector>

#include "cache/row_index.h"
#include "graph/operator.h"
#include "operators/link/link_types.h"
#include "operators/link/past_targets.h"

namespace weft::operators::link {

class NegativeSampler final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<LinkCandidates> kCandidates{"CANDIDATES"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  // `row` is the event's place in `events`, `offset` its place in the log.
  graph::NodeId Draw(graph::EventSpan events, std::size_t row, std::uint64_t offset) const;
  // Whether the event is one of those whose target is ranked.
  bool IsRanked(std::uint64_t offset) const;
  std::vector<graph::NodeId> Candidates(graph::EventSpan events, std::size_t row,
                                        std::uint64_t offset) const;

  std::uint64_t seed_ = 0;
  std::optional<cache::RowIndex> targets_;
  std::uint64_t ranked_one_in_ = 0;  // 0: no event
  std::optional<PastTargets> past_;  // none where no event is ranked
};

}  // namespace weft::operators::link
