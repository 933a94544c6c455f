// EdgeBank: a link is likely when the pair was seen before, always or within a time window. The
// baseline that any learned model has to beat. See edgebank.md.
#pragma once

#include <vector>

#include "cache/row_index.h"
#include "operators/link/grouped_link_model.h"

namespace weft::operators::link {

struct EdgeBankOptions {
  // Pairs remembered; beyond that the pair that was seen longest ago is forgotten.
  std::int64_t max_pairs = std::int64_t{1} << 20;
  // How long a pair counts as seen, in microseconds of event time; 0: for ever.
  graph::TimeUs window_us = 0;
  // Whether a pair counts as seen only in the direction asked about.
  bool directed = false;
  LinkReads reads = LinkReads::kBeforeBatch;
  std::int64_t batch = 32;  // events, B of before_batch(B)
};

class EdgeBank final : public GroupedLinkModel {
 public:
  explicit EdgeBank(const EdgeBankOptions& options);

  std::string name() const override {
    return options_.window_us > 0 ? "edgebank_window" : "edgebank";
  }
  bool scores_are_probabilities() const override { return true; }
  std::optional<float> LogOdds(float random) const override;

  std::unique_ptr<LinkModel> Fork(std::int64_t node_limit) const override;
  void ResetState() override;
  void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
             std::span<float> positive_score, std::span<float> negative_score) override;
  void Observe(graph::EventSpan events) override;
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  graph::TimeUs time_us, std::span<PairScore> score) const override;
  absl::Status SaveState(graph::CheckpointSink& sink) const override;
  absl::Status LoadState(graph::CheckpointSource& source) override;

  std::int64_t pair_count() const { return pairs_.size(); }
  std::int64_t forgotten_pair_count() const { return pairs_.eviction_count(); }

 private:
  std::uint64_t PairKey(graph::NodeId source, graph::NodeId target) const;
  float ScoreOf(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us) const;

  EdgeBankOptions options_;
  cache::HashedRowIndex pairs_;
  std::vector<graph::TimeUs> last_us_;  // by row of pairs_
};

}  // namespace weft::operators::link
