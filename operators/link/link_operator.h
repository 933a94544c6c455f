// LinkOperator: what `nat`, `edgebank` and `recency` have in common as operators. A subclass says
// how to make its LinkModel; the rest is here.
//
//   CANDIDATES (LinkCandidates) or EVENTS (EventBatch), exactly one of them -> SCORES (LinkScores),
//   one row an event.
//
// Per micro-batch: score, learn if the settings say so (CANDIDATES only), take the events in, send
// the scores on. So a score never knows its own event. Clients read through LinkReader, from
// the same state that the next micro-batch will see.
//
// With CANDIDATES every model's probabilities are calibrated: by the model, or else here, from the
// events and negatives of the micro-batches before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cache/row_index.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/link/link_model.h"
#include "operators/link/link_types.h"
#include "operators/link/probability_calibration.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::operators::link {

// What a subclass's options come to.
struct LinkOperatorSettings {
  std::int32_t batch = 32;
  std::int64_t max_targets = std::int64_t{1} << 20;
  bool learn = false;
};

// Checks `scoring` and fills in its defaults; errors name fields below `field`.
absl::StatusOr<LinkOperatorSettings> LinkSettings(const graph::OpenContext& context,
                                                  std::string_view field,
                                                  const v1::LinkScoring& scoring);

// `value` if it is within [1, largest], `fallback` for 0, else the OptionError of `field`.
absl::StatusOr<std::int64_t> PositiveOption(const graph::OpenContext& context,
                                            std::string_view field, std::int64_t value,
                                            std::int64_t fallback, std::int64_t largest);

// Adam's rate: `value` if it is within (0, 1], `fallback` for 0, else the OptionError of
// learning_rate.
absl::StatusOr<float> LearningRateOption(const graph::OpenContext& context, float value,
                                         float fallback);

// Puts the weights of the option model_file into `model`, if there is one, after a check of
// model_digest.
absl::Status ReadModelOption(const graph::OpenContext& context, const std::string& model_file,
                             const std::string& model_digest, LinkModel& model);

class LinkOperator : public graph::Operator, public LinkReader {
 public:
  static constexpr graph::In<LinkCandidates> kCandidates{"CANDIDATES"};
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<LinkScores> kScores{"SCORES"};

  absl::Status Open(graph::OpenContext& context) final;
  absl::Status Process(graph::ProcessContext& context) final;
  // A serialised ModelCommand; activations raise the model's version.
  absl::Status OnCommand(std::string_view body, graph::LogPosition position) final;
  absl::Status Save(graph::CheckpointSink& sink) const final;
  absl::Status Load(graph::CheckpointSource& source) final;
  std::int64_t micro_batch() const final { return settings_.batch; }

  std::string model_name() const final { return model_->name(); }
  std::uint64_t model_version() const final { return model_version_; }
  bool learned() const final { return model_->parameter_count() > 0; }
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  std::span<PairScore> score) const final;
  std::vector<graph::NodeId> RecentTargets(std::int64_t limit) const final;
  std::int64_t known_target_count() const final { return targets_->size(); }
  std::optional<CoverageEstimate> Coverage(double coverage) const final {
    return coverage_.At(coverage);
  }
  std::optional<PairExplanation> Explain(graph::NodeId source, graph::NodeId target,
                                         PairQuestion question) const final {
    return model_->Explain(source, target, last_time_us_, question);
  }
  const VersionedModel* versions() const final { return model_->versioned(); }
  std::optional<CommandOutcome> latest_command() const final { return latest_command_; }
  std::unique_ptr<LinkModel> Fork(std::int64_t node_limit) const final {
    return model_->Fork(node_limit);
  }

 protected:
  // Ports, and reads of before_batch(32); `options_type` is the full name of the subclass's options
  // message.
  static graph::Contract LinkContract(std::string_view options_type);

  // Checks the options, sets `settings` and makes the model.
  virtual absl::StatusOr<std::unique_ptr<LinkModel>> MakeModel(graph::OpenContext& context,
                                                               LinkOperatorSettings& settings) = 0;

  LinkModel& model() { return *model_; }
  // For a subclass that puts other weights in place, at a place of the log.
  void set_model_version(std::uint64_t version) { model_version_ = version; }

 private:
  // Of a micro-batch, before they are sent.
  struct Scored {
    std::vector<PairScore> positive;
    std::vector<PairScore> negative;
    std::vector<std::int32_t> extra_begin;  // from 0; empty where no event has extras
    std::vector<PairScore> extra;
  };

  void CountRestored();

  // Puts the extras of events [begin, begin + count) of `candidates` into `step`.
  void TakeExtras(const LinkCandidates& candidates, std::size_t begin, std::size_t count,
                  LinkStep& step);
  void Calibrate(std::span<const graph::NodeId> negative);
  void CalibrateScores(const ProbabilityCalibration& calibration,
                       std::span<PairScore> scores) const;
  std::shared_ptr<LinkScores> MakeScores(const LinkStep& step) const;

  std::string node_name_;
  LinkOperatorSettings settings_;
  Scored scored_;
  std::unique_ptr<LinkModel> model_;
  std::optional<cache::RowIndex> targets_;
  CoverageWindow coverage_;                       // of targets that were seen before
  std::optional<CommandOutcome> latest_command_;  // for who sent it; not state
  graph::Counter* restored_count_ = nullptr;      // null without versions
  std::int64_t counted_restored_ = 0;
  // Of a model that does not calibrate itself; needs negatives.
  std::optional<ProbabilityCalibration> calibration_;
  bool has_probabilities_ = false;
  std::uint64_t model_version_ = 1;
  graph::TimeUs last_time_us_ = graph::kBeforeAllTime;  // the latest event's
};

}  // namespace weft::operators::link
