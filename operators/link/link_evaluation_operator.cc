#include "operators/link/link_evaluation_operator.h"

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_operator.h"
#include "operators/link/section.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::operators::link {

graph::Contract LinkEvaluationOperator::contract() {
  graph::Contract contract;
  contract.Input(kScores1);
  contract.Input(kScores2, /*optional=*/true).Input(kScores3, /*optional=*/true);
  contract.Input(kScores4, /*optional=*/true).Output(kEvaluation);
  contract.options_type = "weft.operators.link.v1.LinkEvaluation";
  contract.reads = graph::Reads::kBeforeBatch;
  return contract;
}

absl::Status LinkEvaluationOperator::Open(graph::OpenContext& context) {
  const auto& options = context.Options<v1::LinkEvaluation>();
  WEFT_ASSIGN(const std::int64_t window,
              PositiveOption(context, "window_events", options.window_events(), 4096,
                             std::int64_t{1} << 20));
  WEFT_ASSIGN(report_every_events_,
              PositiveOption(context, "report_every_events", options.report_every_events(), 1024,
                             std::int64_t{1} << 30));
  if (report_every_events_ < micro_batch()) {
    return context.OptionError(
        "report_every_events",
        graph::Concat("expected at least ", micro_batch(), ", got ", report_every_events_));
  }
  for (std::size_t i = 0; i < kScores.size(); ++i) {
    models_.push_back(
        {.window = learn::RankingWindow(window), .next_report = report_every_events_});
  }
  return absl::OkStatus();
}

LinkEvaluationReport LinkEvaluationOperator::Report(const Model& model, const LinkScores& scores,
                                                    std::int64_t end) const {
  const learn::RankingScore ranking = model.window.Ranking();
  std::optional<double> log_loss;
  if (scores.probability) log_loss = model.window.LogLoss();
  return {.model = scores.model,
          .model_version = scores.model_version,
          .event_count = model.window.added(),
          .window_events = model.window.size(),
          .ap = ranking.average_precision,
          .auc = ranking.area_under_curve,
          .log_loss = log_loss,
          .time_us = scores.events.time_us[static_cast<std::size_t>(end - 1)]};
}

absl::Status LinkEvaluationOperator::Process(graph::ProcessContext& context) {
  std::size_t port = 0;
  while (kScores[port].name != context.port()) ++port;
  const LinkScores& scores = context.Get(kScores[port]);
  if (scores.negative_score.empty()) return absl::OkStatus();  // nothing to compare with
  Model& model = models_[port];
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    if (scores.negative[i] == graph::kNoNode) continue;
    model.window.Add(scores.positive_score[i], scores.negative_score[i]);
  }
  if (model.window.added() < model.next_report) return absl::OkStatus();
  model.next_report += report_every_events_;
  auto report = std::make_shared<LinkEvaluationReport>(Report(model, scores, context.end()));
  if (model.report == kNoReport) {
    model.report = reports_.size();
    reports_.emplace_back();
  }
  reports_[model.report] = *report;
  context.Emit<LinkEvaluationReport>(kEvaluation, std::move(report));
  return absl::OkStatus();
}

absl::Status LinkEvaluationOperator::Save(graph::CheckpointSink& sink) const {
  for (const Model& model : models_) {
    WEFT_TRY(WriteValue("windows", model.window.added(), sink));
    WEFT_TRY(WriteValue("windows", model.next_report, sink));
    WEFT_TRY(WriteArray("windows", model.window.positive(), sink));
    WEFT_TRY(WriteArray("windows", model.window.negative(), sink));
  }
  return absl::OkStatus();
}

absl::Status LinkEvaluationOperator::Load(graph::CheckpointSource& source) {
  for (Model& model : models_) {
    std::int64_t added = 0;
    std::vector<float> positive;
    std::vector<float> negative;
    const auto capacity = static_cast<std::uint64_t>(model.window.capacity());
    WEFT_TRY(ReadValue("windows", added, source));
    WEFT_TRY(ReadValue("windows", model.next_report, source));
    WEFT_TRY(ReadArray("windows", capacity, positive, source));
    WEFT_TRY(ReadArray("windows", capacity, negative, source));
    if (!model.window.Restore(std::move(positive), std::move(negative), added)) {
      return absl::DataLossError("section windows does not fit window_events");
    }
  }
  return absl::OkStatus();
}

}  // namespace weft::operators::link
