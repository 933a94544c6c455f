// WeftModel: which two nodes will interact next, from what passed between them and what tends to
// follow what: features of both nodes' rows in a PartnerTable (weft_features.h), a small perceptron
// with three answers (weft_head.h). Learns from a file, or from the stream while it serves. See
// weft.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cache/partner_table.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "operators/link/link_model.h"
#include "operators/link/probability_calibration.h"
#include "operators/link/weft_groups.h"
#include "operators/link/weft_head.h"
#include "operators/link/weft_kernels.h"
#include "operators/link/weft_memory.h"
#include "operators/link/weft_versions.h"

namespace weft::operators::link {

struct WeftOptions {
  cache::PartnerTableOptions table;
  LinkReads reads = LinkReads::kBeforeTime;
  std::int64_t step_events = 64;  // worked on together; B of before_batch(B)
  learn::AdamOptions adam;
  std::vector<const WeftGroup*> without;  // groups of columns that count as unknown
  std::int32_t max_versions = 4;          // that commands keep
  bool guard = true;                      // against drift, while it learns from a stream
  std::uint64_t seed = 1;  // of the initial weights and of the negatives that it draws itself
};

// Thread-compatible. Exact: the same events, in the same steps, give the same bits on any number of
// threads; scores do not depend on the steps unless it learns.
class WeftModel final : public LinkModel, public VersionedModel {
 public:
  WeftModel(const WeftOptions& options, const gpu::Exec& exec);
  ~WeftModel() override;

  std::string name() const override { return "weft"; }
  bool scores_are_probabilities() const override { return true; }
  std::int64_t parameter_count() const override { return kWeftHeadLayout.count; }
  std::vector<std::pair<std::string, std::int64_t>> dims() const override;
  std::int64_t bytes_per_node() const override { return table_.row_bytes(); }
  LinkReads reads() const override { return options_.reads; }

  void ResetState() override;
  void Advance(const LinkStep& step, const LinkStepScores& scores) override;
  // Of a training over a file: negatives come from all of its targets, the rate rises and falls
  // once. Without it Learn assumes a stream, whose negatives are targets seen so far.
  void SetTrainingProgress(double done) override;
  std::unique_ptr<LinkModel> Fork(std::int64_t node_limit) const override;
  void ObservePast(const PastEvents& past) override;
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  graph::TimeUs time_us, std::span<PairScore> score) const override;

  std::optional<PairExplanation> Explain(graph::NodeId source, graph::NodeId target,
                                         graph::TimeUs time_us,
                                         PairQuestion question) const override;

  absl::Status SaveWeights(graph::CheckpointSink& sink) const override;
  absl::Status LoadWeights(graph::CheckpointSource& source) override;
  absl::Status SaveState(graph::CheckpointSink& sink) const override;
  absl::Status LoadState(graph::CheckpointSource& source) override;

  VersionedModel* versioned() override { return this; }
  ModelVersions Versions() const override { return versions_.List(); }
  std::int64_t restored_count() const override { return versions_.restored_count(); }
  absl::StatusOr<std::string> ExportVersion(std::uint64_t number) const override;
  absl::StatusOr<std::uint64_t> KeepVersion(std::string_view note) override;
  absl::StatusOr<std::uint64_t> ImportVersion(std::string_view model_file,
                                              std::string_view note) override;
  absl::StatusOr<std::uint64_t> PromoteVersion(std::uint64_t number) override;
  absl::StatusOr<std::uint64_t> RollBack() override;
  absl::StatusOr<std::uint64_t> DropVersion(std::uint64_t number) override;

  const WeftHead& head() const { return head_; }

 private:
  struct Workspace;

  void AdvancePiece(const LinkStep& step, const LinkStepScores& scores, std::int64_t begin,
                    std::int64_t end);
  WeftStepView Plan(const LinkStep& step, std::int64_t begin, std::int64_t end);
  WeftTarget TargetOf(graph::NodeId node) const;
  void ScoreRows(const float* features, std::span<PairScore> score,
                 std::vector<float>& logits) const;
  void ExplainGroups(const float* row, PairQuestion question, PairExplanation& explanation) const;
  void ExplainPartners(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                       PairQuestion question, PairExplanation& explanation) const;
  float LogOddsOf(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                  PairQuestion question) const;
  void Calibrate(const LinkStep& step, const LinkStepScores& scores, std::int64_t begin,
                 std::int64_t end, graph::TimeUs last_us);
  void CompareVersions(const LinkStep& step, std::int64_t begin, std::int64_t end);
  void Learn(const LinkStep& step, std::int64_t begin, std::int64_t end);
  void LearnAgain();
  WeftWeights weights() { return {head_, calibration_}; }
  VersionMoment Now() const;

  WeftOptions options_;
  gpu::Exec exec_;
  // Scratch of const reads too, which leave no trace in it.
  mutable cache::PartnerTable table_;
  WeftHead head_;
  WeftMemory memory_;
  ProbabilityCalibration calibration_;
  WeftVersions versions_;
  bool training_ = false;
  float rate_factor_ = 1.0f;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace weft::operators::link
