#include "rpc/sequence_message.h"

#include <cmath>

namespace weft::rpc {

using operators::sequence::AnomalyExpert;
using operators::sequence::FieldKind;
using operators::sequence::kAnomalyExperts;
using operators::sequence::SeriesKind;
using operators::sequence::SeriesSettings;
using operators::sequence::StepForecast;

namespace {

template <class Opinions>
void FillExperts(const std::array<double, kAnomalyExperts>& by_expert, Opinions* opinions) {
  for (std::size_t e = 0; e < by_expert.size(); ++e) {
    if (by_expert[e] <= 0.0) continue;
    v1::ExpertOpinion& opinion = *opinions->Add();
    opinion.set_expert(std::string(NameOf(static_cast<AnomalyExpert>(e))));
    opinion.set_rarity(by_expert[e]);
  }
}

v1::StepForecast ToMessage(const StepForecast& step) {
  v1::StepForecast message;
  message.set_horizon(step.horizon);
  message.set_mean(step.mean);
  message.set_p10(step.quantile[0]);
  message.set_p50(step.quantile[1]);
  message.set_p90(step.quantile[2]);
  return message;
}

}  // namespace

v1::SequenceModelKind ToMessage(SeriesKind kind) {
  return kind == SeriesKind::kHtm ? v1::SEQUENCE_MODEL_KIND_HTM : v1::SEQUENCE_MODEL_KIND_WEFT;
}

void FillSettings(const SeriesSettings& settings, v1::SequenceSettings& message) {
  message.set_model(ToMessage(settings.kind));
  for (const auto& [feature, kind] : settings.fields) {
    v1::SequenceField& field = *message.add_field();
    field.set_feature(feature);
    field.set_kind(kind == FieldKind::kCategory ? v1::SEQUENCE_FIELD_KIND_CATEGORY
                                                : v1::SEQUENCE_FIELD_KIND_NUMBER);
  }
  for (const std::int64_t horizon : settings.horizons) message.add_horizon(horizon);
  message.set_step_us(settings.step_us);
  message.set_seed(settings.seed);
}

operators::sequence::v1::SeriesModel ToSeriesModel(const v1::SequenceSettings& settings) {
  namespace options = operators::sequence::v1;
  options::SeriesModel model;
  if (settings.model() == v1::SEQUENCE_MODEL_KIND_HTM)
    model.set_model(options::SERIES_MODEL_KIND_HTM);
  for (const v1::SequenceField& one : settings.field()) {
    options::SeriesField& field = *model.add_field();
    field.set_feature(one.feature());
    if (one.kind() == v1::SEQUENCE_FIELD_KIND_CATEGORY)
      field.set_kind(options::SERIES_FIELD_KIND_CATEGORY);
  }
  *model.mutable_horizon() = settings.horizon();
  model.set_step_us(settings.step_us());
  model.set_seed(settings.seed());
  return model;
}

void FillVerdict(const operators::sequence::SequenceRow& row, v1::RecordVerdict& message) {
  message.set_time_us(row.time_us);
  message.set_value(row.value);
  message.set_score(row.said.score);
  message.set_alarm(row.said.alarm);
  message.set_field(row.said.field);
  FillExperts(row.said.by_expert, message.mutable_expert());
  for (const StepForecast& step : row.said.forecasts)
    if (step.is_known) *message.add_forecast() = ToMessage(step);
}

std::vector<v1::StepForecast> StepsOf(std::span<const StepForecast> forecasts, double value,
                                      std::int64_t steps) {
  std::vector<v1::StepForecast> messages;
  for (const StepForecast& step : forecasts) {
    if (!step.is_known) return {};
    if (steps == 0) messages.push_back(ToMessage(step));
  }
  if (steps == 0) return messages;
  StepForecast before{.horizon = 0, .mean = value, .quantile = {value, value, value}};
  for (const StepForecast& step : forecasts) {
    for (std::int64_t at = before.horizon + 1; at <= std::min(step.horizon, steps); ++at) {
      const double share = static_cast<double>(at - before.horizon) /
                           static_cast<double>(step.horizon - before.horizon);
      StepForecast between{.horizon = at};
      between.mean = before.mean + share * (step.mean - before.mean);
      for (std::size_t q = 0; q < between.quantile.size(); ++q)
        between.quantile[q] = before.quantile[q] + share * (step.quantile[q] - before.quantile[q]);
      messages.push_back(ToMessage(at == step.horizon ? step : between));
      messages.back().set_interpolated(at != step.horizon);
    }
    before = step;
  }
  return messages;
}

void FillExplanation(const operators::sequence::SeriesExplanation& explanation,
                     const SeriesSettings& settings, graph::TimeUs time_us,
                     v1::ExplainResponse& message) {
  FillSettings(settings, *message.mutable_settings());
  const bool is_htm = settings.kind == SeriesKind::kHtm;
  for (std::size_t f = 0; f < explanation.fields.size(); ++f) {
    const operators::sequence::FieldExplanation& one = explanation.fields[f];
    v1::FieldExplanation& field = *message.add_field();
    field.set_feature(settings.fields[f].feature);
    field.set_score(one.score);
    FillExperts(one.by_expert, field.mutable_expert());
    field.set_least(one.least);
    field.set_most(one.most);
    if (!is_htm) field.set_recent_mean(one.recent_mean);
    if (std::isfinite(one.season_mean)) field.set_season_mean(one.season_mean);
    if (!is_htm) field.set_season_us(one.season_us);
  }
  for (const auto& [horizon, expert, weight, value] : explanation.opinions) {
    v1::ForecastOpinion& opinion = *message.add_opinion();
    opinion.set_horizon(horizon);
    opinion.set_expert(std::string(expert));
    opinion.set_weight(weight);
    opinion.set_value(value);
  }
  for (const auto& [records_ago, distance] : explanation.alike) {
    v1::AlikeMoment& moment = *message.add_alike();
    moment.set_records_ago(records_ago);
    moment.set_time_us(time_us - records_ago * explanation.step_us);
    moment.set_distance(distance);
  }
  if (is_htm) message.set_unpredicted(explanation.unpredicted);
}

}  // namespace weft::rpc
