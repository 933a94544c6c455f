// What the link operators exchange: candidates to score, scores, and the interface through which
// the service reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/event_batch.h"
#include "graph/packet.h"
#include "operators/link/coverage_window.h"
#include "operators/link/link_model.h"
#include "operators/link/model_versions.h"
#include "operators/link/pair_explanation.h"
#include "operators/link/pair_score.h"

namespace weft::operators::link {

// Events with one negative target each: the same source, a target that did not occur. kNoNode where
// none could be drawn.
struct LinkCandidates {
  graph::EventBatch events;
  std::vector<graph::NodeId> negative;
  // Of some events, further targets that did not occur, among which the event's own is ranked: as
  // in LinkStep. Both empty where no event of the packet has any.
  std::vector<std::int32_t> extra_begin;
  std::vector<graph::NodeId> extra;
  std::int64_t size() const { return events.size(); }
};

// One model's scores of a micro-batch, taken before the model saw its events. Higher means
// likelier.
struct LinkScores {
  graph::EventBatch events;
  std::vector<graph::NodeId> negative;  // empty when only the events were scored
  // PairScore::random, which ranks.
  std::vector<float> positive_score;
  std::vector<float> negative_score;  // empty, or one an event
  // PairScore::probability, calibrated. Empty where the model gives none.
  std::vector<float> positive_probability;
  std::vector<float> negative_probability;
  // Empty, or one an event: its place among itself and its candidates by PairScore::joint, 1 the
  // best, ties in the middle; 0 for an event without candidates.
  std::vector<float> rank;
  std::string node;                 // of the graph
  std::string model;                // "nat", "edgebank", ...
  std::uint64_t model_version = 0;  // rises with each learning step or activation
  bool learned = false;             // LinkReader::learned()
  std::int64_t size() const { return events.size(); }
};

// What became of a ModelCommand.
struct CommandOutcome {
  graph::LogPosition position;            // of its log record
  absl::StatusOr<std::uint64_t> version;  // that it was about, or why nothing was done
};

// Published by operators that score links; the service reads it through Graph::Read. Const: a read
// never changes state.
class LinkReader {
 public:
  virtual ~LinkReader() = default;
  virtual std::string model_name() const = 0;
  virtual std::uint64_t model_version() const = 0;
  // Whether it has weights that were or are being learned; false for a fixed rule, a baseline.
  virtual bool learned() const = 0;
  // Scores of source[i] -> target[i] for an event that would come right now. Unknown nodes
  // (kNoNode, or an id the model has not met) are scored as new nodes.
  virtual void ScorePairs(std::span<const graph::NodeId> source,
                          std::span<const graph::NodeId> target,
                          std::span<PairScore> score) const = 0;
  // Targets seen so far, most recently active first, at most `limit`: the candidates of a ranking
  // over "all known".
  virtual std::vector<graph::NodeId> RecentTargets(std::int64_t limit) const = 0;
  // How many distinct targets there are.
  virtual std::int64_t known_target_count() const = 0;
  // The PairScore::joint of a set that holds the next target with probability `coverage`, within
  // (0, 1), given that it was seen before; none of a predictor that does not keep account.
  virtual std::optional<CoverageEstimate> Coverage(double /*coverage*/) const {
    return std::nullopt;
  }
  // Why the pair has the score of ScorePairs; none of a predictor that cannot say. As long as some
  // thousand scores.
  virtual std::optional<PairExplanation> Explain(graph::NodeId /*source*/, graph::NodeId /*target*/,
                                                 PairQuestion /*question*/) const {
    return std::nullopt;
  }
  // Null of a predictor that keeps no versions of its weights.
  virtual const VersionedModel* versions() const { return nullptr; }
  // Of the latest command since the start; none before it.
  virtual std::optional<CommandOutcome> latest_command() const { return std::nullopt; }
  // LinkModel::Fork of what scores; null where that cannot be had a second time.
  virtual std::unique_ptr<LinkModel> Fork(std::int64_t /*node_limit*/) const { return nullptr; }
};

}  // namespace weft::operators::link

WEFT_PACKET_TYPE(weft::operators::link::LinkCandidates, "LinkCandidates");
WEFT_PACKET_TYPE(weft::operators::link::LinkScores, "LinkScores");
