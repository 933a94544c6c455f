#include "operators/sequence/sequence_forecaster.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {

SequenceForecaster::SequenceForecaster(const ForecasterSettings& settings)
    : step_us_(settings.step_us), without_(settings.without) {
  if (settings.finds_season) finder_.emplace();
  for (const std::int64_t horizon : settings.horizons) horizons_.emplace_back(horizon, without_);
}

std::size_t SequenceForecaster::bytes() const {
  std::size_t bytes = sizeof(*this) + first_.capacity() * sizeof(Record);
  if (finder_) bytes += finder_->bytes();
  for (const SeasonState& one : season_) bytes += one.bytes();
  for (const HorizonForecaster& one : horizons_) bytes += one.bytes();
  return bytes;
}

std::vector<AlikeMoment> SequenceForecaster::Alike(std::size_t most) const {
  if (season_.empty() || season_.front().neighbors() == nullptr) return {};
  std::vector<AlikeMoment> moments = season_.front().neighbors()->Alike(most);
  for (AlikeMoment& moment : moments) moment.distance *= scale_.unit;
  return moments;
}

void SequenceForecaster::Next(graph::TimeUs time_us, double value) {
  finder_->Next(time_us, std::isfinite(value) ? value : last_);
  Next(time_us, value, *finder_);
}

void SequenceForecaster::Next(graph::TimeUs time_us, double value, const SeasonFinder& finder) {
  if (!std::isfinite(value)) value = last_;
  last_ = value;
  ++count_;
  if (scale_.unit > 0.0) return Take(time_us, value, finder);
  first_.push_back({time_us, value});
  if (static_cast<std::int64_t>(first_.size()) < kFirst) return;
  Begin();
  // No season is found in so few.
  for (const Record& record : first_) Take(record.time_us, record.value, finder);
  first_.clear();
  first_.shrink_to_fit();
}

void SequenceForecaster::Prefetch(graph::TimeUs time_us, Season season) const {
  if (season_.empty()) return;
  season_.front().Prefetch(PlaceOf(time_us, season));
  for (const HorizonForecaster& one : horizons_)
    season_.front().Prefetch(PlaceOf(time_us + one.horizon() * step_us_, season));
}

// The step is the median of those seen.
void SequenceForecaster::Begin() {
  std::vector<graph::TimeUs> steps;
  std::vector<double> values;
  for (std::size_t i = 0; i < first_.size(); ++i) {
    if (i > 0) steps.push_back(first_[i].time_us - first_[i - 1].time_us);
    values.push_back(first_[i].value);
  }
  std::ranges::sort(steps);
  if (step_us_ == 0) step_us_ = steps[steps.size() / 2];
  scale_ = ValueScale::Of(values);
  BeginSeason();
}

void SequenceForecaster::BeginSeason() {
  std::int64_t most = 1;
  for (const HorizonForecaster& one : horizons_) most = std::max(most, one.horizon());
  season_.clear();
  season_.emplace_back(step_us_, most, taken_up_);
}

// What was learned of another season says little of this one.
void SequenceForecaster::BeginAnew(Season season) {
  taken_up_ = season;
  BeginSeason();
  for (HorizonForecaster& one : horizons_) one = HorizonForecaster(one.horizon(), without_);
}

void SequenceForecaster::Take(graph::TimeUs time_us, double value, const SeasonFinder& finder) {
  const double scaled = (value - scale_.origin) / scale_.unit;
  for (HorizonForecaster& one : horizons_) one.Learn(scaled);
  const Season season = finder.season();
  if (finder.has_changed()) BeginAnew(season);
  season_.front().Add(PlaceOf(time_us, season), scaled);
  for (HorizonForecaster& one : horizons_)
    one.Say(season_.front(), scale_, PlaceOf(time_us + one.horizon() * step_us_, season), scaled);
}

}  // namespace weft::operators::sequence
