#include "operators/sequence/htm_series.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

// Records before an anomaly likelihood is said.
constexpr std::int64_t kLearning = 400;

}  // namespace

// The range of what was seen; a category has none.
void HtmSeries::FindRanges() {
  const std::size_t fields = settings_.fields.size();
  for (std::size_t f = 0; f < fields; ++f) {
    HtmField& field = ranges_.emplace_back();
    field.kind = settings_.fields[f].kind;
    bool is_first = true;
    for (std::size_t i = f; i < first_value_.size(); i += fields) {
      const double value = first_value_[i];
      if (!std::isfinite(value)) continue;
      field.least = is_first ? value : std::min(field.least, value);
      field.most = is_first ? value : std::max(field.most, value);
      is_first = false;
    }
    if (field.most <= field.least) field.most = field.least + 1.0;
  }
}

void HtmSeries::MakeMachine() {
  HtmDetector detector({.fields = ranges_, .learning = kLearning, .seed = settings_.seed});
  BucketForecaster forecaster({.bits = detector.code().width(),
                               .least = ranges_.front().least,
                               .most = ranges_.front().most,
                               .horizons = settings_.horizons});
  machine_.emplace(Machine{std::move(detector), std::move(forecaster)});
}

HtmVerdict HtmSeries::Take(graph::TimeUs time_us, std::span<const double> values) {
  const HtmVerdict verdict = machine_->detector.Next(time_us, values);
  machine_->forecaster.Learn(machine_->detector.code().bits(), values.front());
  return verdict;
}

RecordVerdict HtmSeries::Next(graph::TimeUs time_us, std::span<const double> values) {
  ++count_;
  RecordVerdict verdict;
  if (!machine_) {
    first_time_us_.push_back(time_us);
    first_value_.insert(first_value_.end(), values.begin(), values.end());
    if (count_ < kFirst) {
      verdict.forecasts = Latest();
      return verdict;
    }
    FindRanges();
    MakeMachine();
    const std::size_t fields = settings_.fields.size();
    for (std::size_t i = 0; i < first_time_us_.size(); ++i)
      latest_ = Take(first_time_us_[i], std::span(first_value_).subspan(i * fields, fields));
    first_time_us_ = {};
    first_value_ = {};
  } else {
    latest_ = Take(time_us, values);
    verdict.alarm = latest_.alarm;
  }
  verdict.score = latest_.score;
  verdict.forecasts = Latest();
  return verdict;
}

std::vector<StepForecast> HtmSeries::Latest() const {
  if (machine_) return machine_->forecaster.Forecasts(machine_->detector.code().bits());
  std::vector<StepForecast> steps;
  for (const std::int64_t horizon : settings_.horizons) steps.push_back({.horizon = horizon});
  return steps;
}

SeriesExplanation HtmSeries::Explain() const {
  SeriesExplanation explanation;
  for (const HtmField& range : ranges_) {
    FieldExplanation& field = explanation.fields.emplace_back();
    field.score = latest_.score;
    field.least = range.least;
    field.most = range.most;
    field.season_mean = std::nan("");
  }
  explanation.unpredicted = latest_.failed;
  return explanation;
}

std::size_t HtmSeries::bytes() const {
  const std::size_t bytes = sizeof(*this) + first_value_.capacity() * sizeof(double) +
                            first_time_us_.capacity() * sizeof(graph::TimeUs);
  return machine_ ? bytes + machine_->detector.bytes() + machine_->forecaster.bytes() : bytes;
}

}  // namespace weft::operators::sequence
