// Recency: a fixed mix of four plain signals, nothing learned: how recently the pair met, how many
// partners both have in common, how popular the target is, how recently it was active. See
// recency.md.
#pragma once

#include <vector>

#include "cache/row_index.h"
#include "operators/link/grouped_link_model.h"

namespace weft::operators::link {

struct RecencyOptions {
  // Nodes remembered; beyond that the least recently active one is forgotten.
  std::int64_t max_nodes = std::int64_t{1} << 16;
  // Partners remembered of each node, the most recent ones.
  std::int32_t partners_per_node = 32;
  LinkReads reads = LinkReads::kBeforeBatch;
  std::int64_t batch = 32;  // events, B of before_batch(B)
};

class Recency final : public GroupedLinkModel {
 public:
  explicit Recency(const RecencyOptions& options);

  std::string name() const override { return "recency"; }
  bool scores_are_probabilities() const override { return false; }
  std::optional<float> LogOdds(float random) const override;
  std::int64_t bytes_per_node() const override;

  std::unique_ptr<LinkModel> Fork(std::int64_t node_limit) const override;
  void ResetState() override;
  void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
             std::span<float> positive_score, std::span<float> negative_score) override;
  void Observe(graph::EventSpan events) override;
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  graph::TimeUs time_us, std::span<PairScore> score) const override;
  absl::Status SaveState(graph::CheckpointSink& sink) const override;
  absl::Status LoadState(graph::CheckpointSource& source) override;

  std::int64_t node_count() const { return nodes_.size(); }
  std::int64_t forgotten_node_count() const { return nodes_.eviction_count(); }

 private:
  // Of a node as a target. Clocks count events, from 1; 0 is "never".
  struct Activity {
    std::int64_t last_clock = 0;
    std::int64_t event_count = 0;
  };

  float ScoreOf(std::uint32_t source_row, graph::NodeId target) const;
  // When the pair met last, 0 for never.
  std::int64_t PairClock(std::uint32_t source_row, graph::NodeId target) const;
  std::int32_t CommonPartners(std::uint32_t one, std::uint32_t other) const;
  void AddPartner(std::uint32_t row, graph::NodeId partner);
  std::uint32_t TouchNode(graph::NodeId node);

  RecencyOptions options_;
  cache::RowIndex nodes_;
  std::int64_t clock_ = 0;              // events observed
  std::vector<Activity> activity_;      // by row of nodes_
  std::vector<graph::NodeId> partner_;  // partners_per_node a row, kNoNode = free
  std::vector<std::int64_t> partner_clock_;
};

}  // namespace weft::operators::link
