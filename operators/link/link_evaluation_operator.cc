#include "operators/link/link_evaluation_operator.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_operator.h"
#include "operators/link/section.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::operators::link {
namespace {

// What a checkpoint keeps of a report beside its names. No gaps, so that the same report is always
// the same bytes.
struct SavedReport {
  std::uint64_t model_version;
  std::uint64_t learned;
  std::int64_t event_count;
  std::int64_t window_events;
  double ap;
  double auc;
  std::uint64_t has_log_loss;
  double log_loss;
  std::int64_t ranked_events;
  double mrr;
  graph::TimeUs time_us;
};

constexpr std::uint64_t kNameBytes = std::uint64_t{1} << 16;

std::string FigureText(double figure) {
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), figure, std::chars_format::fixed, 4).ptr;
  return {digits, end};
}

absl::Status SaveReport(const LinkEvaluationReport& report, graph::CheckpointSink& sink) {
  const SavedReport saved = {.model_version = report.model_version,
                             .learned = report.learned ? 1U : 0U,
                             .event_count = report.event_count,
                             .window_events = report.window_events,
                             .ap = report.ap,
                             .auc = report.auc,
                             .has_log_loss = report.log_loss ? 1U : 0U,
                             .log_loss = report.log_loss.value_or(0.0),
                             .ranked_events = report.ranked_events,
                             .mrr = report.mrr.value_or(0.0),
                             .time_us = report.time_us};
  WEFT_TRY(WriteValue("models", saved, sink));
  WEFT_TRY(WriteArray("models", std::span(report.node), sink));
  return WriteArray("models", std::span(report.model), sink);
}

absl::Status LoadReport(LinkEvaluationReport& report, graph::CheckpointSource& source) {
  SavedReport saved = {};
  std::vector<char> node;
  std::vector<char> model;
  WEFT_TRY(ReadValue("models", saved, source));
  WEFT_TRY(ReadArray("models", kNameBytes, node, source));
  WEFT_TRY(ReadArray("models", kNameBytes, model, source));
  report = {.node = {node.begin(), node.end()},
            .model = {model.begin(), model.end()},
            .model_version = saved.model_version,
            .learned = saved.learned != 0,
            .event_count = saved.event_count,
            .window_events = saved.window_events,
            .ap = saved.ap,
            .auc = saved.auc,
            .ranked_events = saved.ranked_events,
            .time_us = saved.time_us};
  if (saved.has_log_loss != 0) report.log_loss = saved.log_loss;
  if (saved.ranked_events > 0) report.mrr = saved.mrr;
  return absl::OkStatus();
}

absl::Status SaveWindow(const learn::RankingWindow& window, graph::CheckpointSink& sink) {
  WEFT_TRY(WriteValue("models", window.added(), sink));
  WEFT_TRY(WriteArray("models", window.positive(), sink));
  return WriteArray("models", window.negative(), sink);
}

absl::Status LoadWindow(learn::RankingWindow& window, graph::CheckpointSource& source) {
  std::int64_t added = 0;
  std::vector<float> positive;
  std::vector<float> negative;
  const auto capacity = static_cast<std::uint64_t>(window.capacity());
  WEFT_TRY(ReadValue("models", added, source));
  WEFT_TRY(ReadArray("models", capacity, positive, source));
  WEFT_TRY(ReadArray("models", capacity, negative, source));
  if (window.Restore(std::move(positive), std::move(negative), added)) return absl::OkStatus();
  return absl::DataLossError("section models does not fit window_events");
}

}  // namespace

graph::Contract LinkEvaluationOperator::contract() {
  graph::Contract contract;
  contract.Input(kScores1);
  contract.Input(kScores2, /*optional=*/true).Input(kScores3, /*optional=*/true);
  contract.Input(kScores4, /*optional=*/true).Output(kEvaluation).Output(kMarks);
  contract.options_type = "weft.operators.link.v1.LinkEvaluation";
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 2;
  return contract;
}

absl::Status LinkEvaluationOperator::Open(graph::OpenContext& context) {
  constexpr std::int64_t kMaxWindow = std::int64_t{1} << 20;
  const auto& options = context.Options<v1::LinkEvaluation>();
  WEFT_ASSIGN(const std::int64_t window,
              PositiveOption(context, "window_events", options.window_events(), 4096, kMaxWindow));
  WEFT_ASSIGN(const std::int64_t ranks,
              PositiveOption(context, "window_ranks", options.window_ranks(), 256, kMaxWindow));
  WEFT_ASSIGN(report_every_events_,
              PositiveOption(context, "report_every_events", options.report_every_events(), 1024,
                             std::int64_t{1} << 30));
  if (report_every_events_ < micro_batch()) {
    return context.OptionError(
        "report_every_events",
        graph::Concat("expected at least ", micro_batch(), ", got ", report_every_events_));
  }
  metrics_ = &context.metrics();
  for (std::size_t i = 0; i < kScores.size(); ++i) {
    models_.push_back({.scores = learn::RankingWindow(window),
                       .probabilities = learn::RankingWindow(window),
                       .ranks = learn::RankWindow(ranks),
                       .next_report = report_every_events_});
  }
  return absl::OkStatus();
}

void LinkEvaluationOperator::Take(const LinkScores& scores, std::size_t begin, std::size_t end,
                                  Model& model) const {
  const bool has_probabilities = !scores.negative_probability.empty();
  for (std::size_t i = begin; i < end; ++i) {
    if (!scores.rank.empty() && scores.rank[i] > 0.0f) model.ranks.Add(scores.rank[i]);
    if (scores.negative[i] == graph::kNoNode) continue;
    model.scores.Add(scores.positive_score[i], scores.negative_score[i]);
    if (has_probabilities)
      model.probabilities.Add(scores.positive_probability[i], scores.negative_probability[i]);
  }
}

LinkEvaluationReport LinkEvaluationOperator::Report(const Model& model, const LinkScores& scores,
                                                    std::int64_t end) const {
  const learn::RankingScore ranking = model.scores.Ranking();
  LinkEvaluationReport report = {
      .node = scores.node,
      .model = scores.model,
      .model_version = scores.model_version,
      .learned = scores.learned,
      .event_count = model.scores.added(),
      .window_events = model.scores.size(),
      .ap = ranking.average_precision,
      .auc = ranking.area_under_curve,
      .ranked_events = model.ranks.size(),
      .time_us = scores.events.time_us[static_cast<std::size_t>(end - 1)]};
  if (model.probabilities.size() > 0) report.log_loss = model.probabilities.LogLoss();
  if (model.ranks.size() > 0) report.mrr = model.ranks.MeanReciprocalRank();
  return report;
}

absl::Status LinkEvaluationOperator::Process(graph::ProcessContext& context) {
  std::size_t port = 0;
  while (kScores[port].name != context.port()) ++port;
  const LinkScores& scores = context.Get(kScores[port]);
  if (scores.negative_score.empty()) return absl::OkStatus();  // nothing to compare with
  Model& model = models_[port];
  model.feed = context.position().feed;
  Take(scores, static_cast<std::size_t>(context.begin()), static_cast<std::size_t>(context.end()),
       model);
  if (model.scores.added() < model.next_report) return absl::OkStatus();
  model.next_report += report_every_events_;
  auto report = std::make_shared<LinkEvaluationReport>(Report(model, scores, context.end()));
  model.report = *report;
  model.undecided = 1;
  Show(model);
  const graph::TimeUs time_us = report->time_us;
  context.Emit<LinkEvaluationReport>(kEvaluation, std::move(report));
  const std::array<LinkChoice, 2> before = {choice(LinkQuestion::kPairs),
                                            choice(LinkQuestion::kTargets)};
  DecideIfAllReported();
  MarkChanges(before, time_us, context);
  return absl::OkStatus();
}

void LinkEvaluationOperator::MarkChanges(const std::array<LinkChoice, 2>& before,
                                         graph::TimeUs time_us,
                                         graph::ProcessContext& context) const {
  auto batch = std::make_shared<graph::MarkBatch>();
  for (const LinkQuestion question : {LinkQuestion::kPairs, LinkQuestion::kTargets}) {
    const LinkChoice now = choice(question);
    if (now.answering == before[static_cast<std::size_t>(question)].answering) continue;
    const std::string_view what = question == LinkQuestion::kPairs ? "pairs" : "targets";
    batch->marks.push_back({time_us, time_us, "model",
                            now.reason.empty()
                                ? graph::Concat(what, ": \"", now.answering, "\" answers")
                                : graph::Concat(what, ": ", now.reason)});
  }
  if (batch->size() > 0) context.Emit<graph::MarkBatch>(kMarks, std::move(batch));
}

void LinkEvaluationOperator::Show(Model& model) {
  const LinkEvaluationReport& report = *model.report;
  Gauges& gauges = model.gauges;
  const graph::Labels labels = {{"model", report.model}, {"node", report.node}};
  const auto show = [&](graph::Gauge*& gauge, std::string_view name, std::string_view help,
                        double value) {
    if (gauge == nullptr) gauge = &metrics_->GetGauge(name, help, labels);
    gauge->Set(value);
  };
  show(gauges.average_precision, "weft_link_average_precision",
       "Average precision over the model's latest events.", report.ap);
  show(gauges.area_under_curve, "weft_link_area_under_curve",
       "Area under the ROC curve over the model's latest events.", report.auc);
  if (report.log_loss) {
    show(gauges.log_loss, "weft_link_log_loss",
         "Mean -log of the probability of what came, over the model's latest events.",
         *report.log_loss);
  }
  if (report.mrr) {
    show(gauges.mean_reciprocal_rank, "weft_link_mean_reciprocal_rank",
         "Mean reciprocal rank among candidates over the model's latest ranked events.",
         *report.mrr);
  }
}

std::optional<std::size_t> LinkEvaluationOperator::Learned() const {
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (models_[i].report && models_[i].report->learned) return i;
  }
  return std::nullopt;
}

bool LinkEvaluationOperator::TakesPart(const Model& model, const Model& learned) const {
  return model.report && model.feed == learned.feed &&
         4 * model.report->window_events >= model.scores.capacity();
}

bool LinkEvaluationOperator::ByRank(LinkQuestion question, const Model& learned) const {
  return question == LinkQuestion::kTargets &&
         std::ranges::all_of(models_, [&](const Model& model) {
           return !TakesPart(model, learned) ||
                  4 * model.report->ranked_events >= model.ranks.capacity();
         });
}

// Reports of one round are about the same events, but for a micro-batch.
void LinkEvaluationOperator::DecideIfAllReported() {
  const std::optional<std::size_t> first = Learned();
  if (!first) return;
  const Model& learned = models_[*first];
  const auto waits_for = [&](const Model& model) {
    return model.scores.added() > 0 && model.feed == learned.feed && model.undecided == 0;
  };
  const auto takes_part = [&](const Model& model) { return TakesPart(model, learned); };
  if (!takes_part(learned) || std::ranges::any_of(models_, waits_for) ||
      std::ranges::count_if(models_, takes_part) < 2)
    return;
  for (Model& model : models_) model.undecided = 0;
  for (const LinkQuestion question : {LinkQuestion::kPairs, LinkQuestion::kTargets}) {
    const bool by_rank = ByRank(question, learned);
    std::vector<std::optional<Standing>> standings;
    for (const Model& model : models_) {
      std::optional<Standing>& standing = standings.emplace_back();
      if (!takes_part(model)) continue;
      const LinkEvaluationReport& report = *model.report;
      standing = by_rank ? Standing{*report.mrr, report.ranked_events}
                         : Standing{report.ap, report.window_events};
    }
    choices_[static_cast<std::size_t>(question)].Decide(standings,
                                                        static_cast<std::int64_t>(*first));
  }
  ShowChoice();
}

void LinkEvaluationOperator::ShowChoice() {
  for (const auto& [question, name] :
       {std::pair(LinkQuestion::kPairs, "pairs"), std::pair(LinkQuestion::kTargets, "targets")}) {
    const LinkChoice now = choice(question);
    if (now.learned.empty()) continue;
    metrics_
        ->GetGauge("weft_link_fallback",
                   "1 while another model answers instead of the learned one.",
                   {{"node", now.learned}, {"question", name}})
        .Set(now.answering == now.learned ? 0.0 : 1.0);
  }
}

std::vector<LinkEvaluationReport> LinkEvaluationOperator::reports() const {
  std::vector<LinkEvaluationReport> reports;
  for (const bool learned : {true, false}) {
    for (const Model& model : models_) {
      if (model.report && model.report->learned == learned) reports.push_back(*model.report);
    }
  }
  return reports;
}

LinkChoice LinkEvaluationOperator::choice(LinkQuestion question) const {
  const std::optional<std::size_t> first = Learned();
  if (!first) return {};
  const LinkEvaluationReport& learned = *models_[*first].report;
  const auto chosen = choice_of(question).chosen();
  if (!chosen || static_cast<std::size_t>(*chosen) == *first)
    return {.learned = learned.node, .answering = learned.node, .reason = ""};
  const LinkEvaluationReport& better = *models_[static_cast<std::size_t>(*chosen)].report;
  const bool by_rank = ByRank(question, models_[*first]);
  return {
      .learned = learned.node,
      .answering = better.node,
      .reason = graph::Concat(learned.node, " is not ahead of ", better.node, ": ",
                              by_rank ? "mean reciprocal rank " : "average precision ",
                              FigureText(by_rank ? *learned.mrr : learned.ap), " against ",
                              FigureText(by_rank ? *better.mrr : better.ap), " over the latest ",
                              by_rank ? better.ranked_events : better.window_events,
                              by_rank ? " ranked events" : " events")};
}

absl::Status LinkEvaluationOperator::SaveModel(const Model& model,
                                               graph::CheckpointSink& sink) const {
  WEFT_TRY(SaveWindow(model.scores, sink));
  WEFT_TRY(SaveWindow(model.probabilities, sink));
  WEFT_TRY(WriteValue("models", model.ranks.added(), sink));
  WEFT_TRY(WriteArray("models", model.ranks.ranks(), sink));
  WEFT_TRY(WriteValue("models", model.next_report, sink));
  WEFT_TRY(WriteValue("models", model.feed, sink));
  WEFT_TRY(WriteValue("models", model.undecided, sink));
  WEFT_TRY(WriteValue("models", std::uint64_t{model.report ? 1U : 0U}, sink));
  return model.report ? SaveReport(*model.report, sink) : absl::OkStatus();
}

absl::Status LinkEvaluationOperator::LoadModel(Model& model, graph::CheckpointSource& source) {
  WEFT_TRY(LoadWindow(model.scores, source));
  WEFT_TRY(LoadWindow(model.probabilities, source));
  std::int64_t added = 0;
  std::vector<float> ranks;
  WEFT_TRY(ReadValue("models", added, source));
  WEFT_TRY(ReadArray("models", static_cast<std::uint64_t>(model.ranks.capacity()), ranks, source));
  if (!model.ranks.Restore(std::move(ranks), added))
    return absl::DataLossError("section models does not fit window_ranks");
  WEFT_TRY(ReadValue("models", model.next_report, source));
  WEFT_TRY(ReadValue("models", model.feed, source));
  WEFT_TRY(ReadValue("models", model.undecided, source));
  std::uint64_t has_report = 0;
  WEFT_TRY(ReadValue("models", has_report, source));
  if (has_report == 0) return absl::OkStatus();
  WEFT_TRY(LoadReport(model.report.emplace(), source));
  Show(model);
  return absl::OkStatus();
}

absl::Status LinkEvaluationOperator::Save(graph::CheckpointSink& sink) const {
  for (const Model& model : models_) WEFT_TRY(SaveModel(model, sink));
  for (const ModelChoice& choice : choices_) WEFT_TRY(choice.Save("choices", sink));
  return absl::OkStatus();
}

absl::Status LinkEvaluationOperator::Load(graph::CheckpointSource& source) {
  for (Model& model : models_) WEFT_TRY(LoadModel(model, source));
  for (ModelChoice& choice : choices_)
    WEFT_TRY(choice.Load("choices", static_cast<std::int64_t>(models_.size()), source));
  for (const ModelChoice& choice : choices_) {
    if (const auto chosen = choice.chosen();
        chosen && !models_[static_cast<std::size_t>(*chosen)].report)
      return absl::DataLossError("section choices names a model without a report");
  }
  ShowChoice();
  return absl::OkStatus();
}

}  // namespace weft::operators::link
