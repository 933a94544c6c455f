#include "operators/sequence/weft_series.h"

namespace weft::operators::sequence {

WeftSeries::WeftSeries(const SeriesSettings& settings)
    : anomalies_(settings.fields.size()),
      forecaster_(
          {.horizons = settings.horizons, .step_us = settings.step_us, .finds_season = false}),
      scores_(settings.fields.size()) {}

RecordVerdict WeftSeries::Next(graph::TimeUs time_us, std::span<const double> values) {
  RecordVerdict verdict;
  forecaster_.Prefetch(time_us, anomalies_.front().season_finder().season());
  for (std::size_t f = 0; f < anomalies_.size(); ++f) {
    const AnomalyVerdict one = anomalies_[f].Next(time_us, values[f]);
    scores_[f] = one.score;
    verdict.alarm = std::max(verdict.alarm, one.alarm);
    if (f > 0 && one.score <= verdict.score) continue;
    verdict.score = one.score;
    verdict.field = static_cast<std::int32_t>(f);
    verdict.by_expert = one.by_expert;
  }
  forecaster_.Next(time_us, values.front(), anomalies_.front().season_finder());
  time_us_ = time_us;
  verdict.forecasts = Latest();
  return verdict;
}

std::vector<StepForecast> WeftSeries::Latest() const {
  std::vector<StepForecast> steps;
  for (const HorizonForecaster& one : forecaster_.horizons()) {
    StepForecast& step = steps.emplace_back();
    step.horizon = one.horizon();
    const Forecast& forecast = one.latest();
    step.is_known = forecast.is_known();
    if (!step.is_known) continue;
    step.mean = forecast.mean;
    for (std::size_t q = 0; q < step.quantile.size(); ++q)
      step.quantile[q] = forecast.Quantile(StepForecast::kShares[q]);
  }
  return steps;
}

SeriesExplanation WeftSeries::Explain() const {
  constexpr std::size_t kAlike = 3;
  SeriesExplanation explanation;
  for (std::size_t f = 0; f < anomalies_.size(); ++f) {
    FieldExplanation& field = explanation.fields.emplace_back();
    const AnomalyEnsemble::Usual usual = anomalies_[f].UsualAt(time_us_);
    field = {scores_[f],
             anomalies_[f].Held(),
             usual.least,
             usual.most,
             usual.recent_mean,
             usual.season_mean,
             anomalies_[f].season_finder().season().period_us};
  }
  for (const HorizonForecaster& one : forecaster_.horizons()) {
    const Forecast& forecast = one.latest();
    for (std::size_t e = 0; e < kForecastExperts; ++e)
      if (forecast.weight[e] > 0.0)
        explanation.opinions.push_back({one.horizon(), NameOf(static_cast<ForecastExpert>(e)),
                                        forecast.weight[e],
                                        forecast.origin + forecast.unit * forecast.point[e].point});
  }
  explanation.alike = forecaster_.Alike(kAlike);
  // Without a season of days, the shape that is nearest.
  if (explanation.alike.empty())
    if (const auto nearest = anomalies_.front().NearestShape())
      explanation.alike.push_back(*nearest);
  explanation.step_us = forecaster_.step_us();
  return explanation;
}

std::size_t WeftSeries::bytes() const {
  std::size_t bytes = sizeof(*this) + forecaster_.bytes();
  for (const AnomalyEnsemble& one : anomalies_) bytes += one.bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
