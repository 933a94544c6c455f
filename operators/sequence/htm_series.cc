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
  SdrClassifier classifier({.bits = detector.memory().cell_count(),
                            .classes = kBuckets,
                            .steps = settings_.horizons,
                            .rate = 0.02});
  machine_.emplace(
      Machine{std::move(detector), std::move(classifier), std::vector<double>(kBuckets)});
  for (std::int64_t b = 0; b < kBuckets; ++b)
    machine_->usual[static_cast<std::size_t>(b)] =
        ranges_.front().least + BucketWidth() * (static_cast<double>(b) - 2.0);
}

// Two buckets lie on each side of the range.
double HtmSeries::BucketWidth() const {
  return (ranges_.front().most - ranges_.front().least) / static_cast<double>(kBuckets - 5);
}

std::int64_t HtmSeries::BucketOf(double value) const {
  const double place = (value - ranges_.front().least) / BucketWidth() + 2.5;
  return static_cast<std::int64_t>(
      std::clamp(std::floor(place), 0.0, static_cast<double>(kBuckets - 1)));
}

HtmVerdict HtmSeries::Take(graph::TimeUs time_us, std::span<const double> values) {
  const HtmVerdict verdict = machine_->detector.Next(time_us, values);
  if (std::isfinite(values.front())) {
    const std::int64_t bucket = BucketOf(values.front());
    double& usual = machine_->usual[static_cast<std::size_t>(bucket)];
    usual = 0.7 * usual + 0.3 * values.front();
    machine_->classifier.Learn(machine_->detector.memory().active_cells(), bucket);
  }
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
    const double before = latest_.score;
    latest_ = Take(time_us, values);
    if (latest_.score >= kAlarm && before < kAlarm) verdict.alarm = latest_.score;
  }
  verdict.score = latest_.score;
  verdict.forecasts = Latest();
  return verdict;
}

StepForecast HtmSeries::Distribution(std::size_t step) const {
  StepForecast forecast;
  forecast.is_known = true;
  const std::vector<double> share =
      machine_->classifier.Probabilities(step, machine_->detector.memory().active_cells());
  const double width = BucketWidth();
  double below = 0.0;
  std::size_t q = 0;
  for (std::size_t b = 0; b < share.size(); ++b) {
    forecast.mean += share[b] * machine_->usual[b];
    const double begin = ranges_.front().least + width * (static_cast<double>(b) - 2.5);
    while (q < forecast.quantile.size() && below + share[b] >= StepForecast::kShares[q]) {
      forecast.quantile[q] = begin + width * (StepForecast::kShares[q] - below) / share[b];
      ++q;
    }
    below += share[b];
  }
  return forecast;
}

std::vector<StepForecast> HtmSeries::Latest() const {
  std::vector<StepForecast> steps;
  for (std::size_t s = 0; s < settings_.horizons.size(); ++s) {
    steps.push_back(machine_ ? Distribution(s) : StepForecast{});
    steps.back().horizon = settings_.horizons[s];
  }
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
  return machine_ ? bytes + machine_->detector.bytes() + machine_->classifier.bytes() : bytes;
}

}  // namespace weft::operators::sequence
