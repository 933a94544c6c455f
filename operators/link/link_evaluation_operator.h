// `link_evaluation`: how well models predict, as they run: figures over the latest events of each.
// See link_evaluation.md.
//
//   SCORES_1 .. SCORES_4 (LinkScores), one model each -> EVALUATION (LinkEvaluationReport), now and
//   then, one model a report.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "graph/operator.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/link_types.h"

namespace weft::operators::link {

// The figures of one model over its latest events, each scored before the model saw it.
struct LinkEvaluationReport {
  std::string model;
  std::uint64_t model_version = 0;
  std::int64_t event_count = 0;    // scored since the start, with a negative
  std::int64_t window_events = 0;  // that the figures are about
  double ap = 0.0;
  double auc = 0.0;
  std::optional<double> log_loss;  // of probabilities only
  graph::TimeUs time_us = 0;       // of the latest event

  std::int64_t size() const { return 1; }
};

// The latest report of each model, for clients that ask.
class LinkEvaluationReader {
 public:
  virtual ~LinkEvaluationReader() = default;
  virtual const std::vector<LinkEvaluationReport>& reports() const = 0;
};

class LinkEvaluationOperator final : public graph::Operator, public LinkEvaluationReader {
 public:
  static constexpr graph::In<LinkScores> kScores1{"SCORES_1"};
  static constexpr graph::In<LinkScores> kScores2{"SCORES_2"};
  static constexpr graph::In<LinkScores> kScores3{"SCORES_3"};
  static constexpr graph::In<LinkScores> kScores4{"SCORES_4"};
  static constexpr std::array kScores = {kScores1, kScores2, kScores3, kScores4};
  static constexpr graph::Out<LinkEvaluationReport> kEvaluation{"EVALUATION"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

  const std::vector<LinkEvaluationReport>& reports() const override { return reports_; }

 private:
  // Of one input port.
  struct Model {
    learn::RankingWindow window;
    std::int64_t next_report = 0;    // events after which the next report is due
    std::size_t report = kNoReport;  // index in reports_
  };
  static constexpr std::size_t kNoReport = ~std::size_t{0};

  LinkEvaluationReport Report(const Model& model, const LinkScores& scores, std::int64_t end) const;

  std::int64_t report_every_events_ = 0;
  std::vector<Model> models_;
  std::vector<LinkEvaluationReport> reports_;  // in order of first report
};

}  // namespace weft::operators::link

WEFT_PACKET_TYPE(weft::operators::link::LinkEvaluationReport, "LinkEvaluationReport");
