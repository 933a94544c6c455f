// `link_evaluation`: how well models predict, as they run: figures over the latest events of each,
// and which of them is to answer. See link_evaluation.md.
//
//   SCORES_1 .. SCORES_4 (LinkScores), one model each -> EVALUATION (LinkEvaluationReport), now and
//   then, one model a report.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "graph/mark_batch.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "operators/link/model_choice.h"

namespace weft::operators::link {

class LinkEvaluationOperator final : public graph::Operator, public LinkEvaluationReader {
 public:
  static constexpr graph::In<LinkScores> kScores1{"SCORES_1"};
  static constexpr graph::In<LinkScores> kScores2{"SCORES_2"};
  static constexpr graph::In<LinkScores> kScores3{"SCORES_3"};
  static constexpr graph::In<LinkScores> kScores4{"SCORES_4"};
  static constexpr std::array kScores = {kScores1, kScores2, kScores3, kScores4};
  static constexpr graph::Out<LinkEvaluationReport> kEvaluation{"EVALUATION"};
  static constexpr graph::Out<graph::MarkBatch> kMarks{"MARKS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

  std::vector<LinkEvaluationReport> reports() const override;
  LinkChoice choice(LinkQuestion question) const override;

 private:
  // Of a model's node, in the metrics.
  struct Gauges {
    graph::Gauge* average_precision = nullptr;
    graph::Gauge* area_under_curve = nullptr;
    graph::Gauge* log_loss = nullptr;
    graph::Gauge* mean_reciprocal_rank = nullptr;
  };
  // Of one input port.
  struct Model {
    learn::RankingWindow scores;
    learn::RankingWindow probabilities;  // empty where the model gives none
    learn::RankWindow ranks;
    std::int64_t next_report = 0;                     // events after which the next report is due
    std::optional<LinkEvaluationReport> report = {};  // the latest
    std::uint64_t feed = 0;                           // that its events are of
    std::uint64_t undecided = 0;  // whether the report came since the last decision
    Gauges gauges = {};
  };

  void Take(const LinkScores& scores, std::size_t begin, std::size_t end, Model& model) const;
  LinkEvaluationReport Report(const Model& model, const LinkScores& scores, std::int64_t end) const;
  void Show(Model& model);
  // The first that learns and has a report.
  std::optional<std::size_t> Learned() const;
  void DecideIfAllReported();
  // Sends a mark for each question that another model answers now than `before` says.
  void MarkChanges(const std::array<LinkChoice, 2>& before, graph::TimeUs time_us,
                   graph::ProcessContext& context) const;
  void ShowChoice();
  bool TakesPart(const Model& model, const Model& learned) const;
  // Whether `question` is decided by rank; otherwise by average precision.
  bool ByRank(LinkQuestion question, const Model& learned) const;
  const ModelChoice& choice_of(LinkQuestion question) const {
    return choices_[static_cast<std::size_t>(question)];
  }
  absl::Status SaveModel(const Model& model, graph::CheckpointSink& sink) const;
  absl::Status LoadModel(Model& model, graph::CheckpointSource& source);

  std::int64_t report_every_events_ = 0;
  graph::MetricRegistry* metrics_ = nullptr;
  std::vector<Model> models_;
  std::array<ModelChoice, 2> choices_;  // by LinkQuestion
};

}  // namespace weft::operators::link
