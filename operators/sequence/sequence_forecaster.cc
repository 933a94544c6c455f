#include "operators/sequence/sequence_forecaster.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {
namespace {

constexpr double kFastRate = 0.35, kSlowRate = 0.12;
constexpr double kLinearMemory = 0.9998;
constexpr std::int64_t kLinearFewest = 400;
constexpr graph::TimeUs kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::int64_t kMostDayRecords = 1440;

// Records of a day; 0 where days are no season: records are further apart than six hours, or closer
// than a minute.
std::int64_t DayRecords(graph::TimeUs step_us) {
  if (step_us <= 0 || step_us > kDayUs / 4) return 0;
  return kDayUs / step_us > kMostDayRecords ? 0 : kDayUs / step_us;
}

}  // namespace

std::string_view NameOf(ForecastExpert expert) {
  constexpr std::array<std::string_view, kForecastExperts> kNames = {
      "slot_fast", "slot_slow", "linear", "neighbors", "histogram", "persistence"};
  return kNames[expert];
}

double Forecast::Below(ForecastExpert expert, double x, double width) const {
  const double scaled = (x - origin) / unit;
  if (expert != kHistogram)
    return PointForecast{point[expert].point, width * point[expert].scale}.Below(scaled);
  double below = 0.0;
  for (std::int64_t b = 0; b < SlotHistogram::kBuckets; ++b) {
    const double inside =
        std::clamp((scaled - SlotHistogram::BeginOf(b)) / SlotHistogram::kWidth, 0.0, 1.0);
    below += histogram[static_cast<std::size_t>(b)] * inside;
  }
  return below;
}

double Forecast::BelowAt(double width, double x) const {
  double below = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (weight[e] > 0.0) below += weight[e] * Below(static_cast<ForecastExpert>(e), x, width);
  return below;
}

double Forecast::Below(double x) const {
  double below = 0.0;
  for (std::size_t w = 0; w < kWidths.size(); ++w)
    if (width_weight[w] > 0.0) below += width_weight[w] * BelowAt(kWidths[w], x);
  return below;
}

double Forecast::Quantile(double probability) const {
  double low = mean - unit, high = mean + unit;
  for (int i = 0; i < 60 && Below(low) > probability; ++i) low -= high - low;
  for (int i = 0; i < 60 && Below(high) < probability; ++i) high += high - low;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (Below(middle) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

SequenceForecaster::SequenceForecaster(const ForecasterSettings& settings)
    : settings_(settings),
      fast_(kWeekSlots),
      slow_(kWeekSlots),
      seen_(kWeekSlots),
      bias_(2 * 2 * kDaySlots),
      linear_(ResidualFeatures::kColumns, kLinearMemory),
      scales_(kForecastExperts),
      weights_(kForecastExperts),
      widths_(Forecast::kWidths.size()) {}

std::size_t SequenceForecaster::bytes() const {
  std::size_t bytes = sizeof(*this) + histogram_.bytes() + linear_.bytes() +
                      (fast_.size() + slow_.size() + seen_.size() + bias_.size()) * sizeof(double);
  for (const auto& one : residuals_) bytes += one.bytes();
  for (const auto& one : neighbors_) bytes += one.bytes();
  return bytes;
}

Forecast SequenceForecaster::Next(graph::TimeUs time_us, double value) {
  if (!std::isfinite(value)) value = last_;
  last_ = value;
  ++count_;
  if (unit_ > 0.0) return Take(time_us, value);
  first_.push_back({time_us, value});
  if (static_cast<std::int64_t>(first_.size()) < kFirst) return {};
  Begin();
  Forecast forecast;
  for (const Record& record : first_) forecast = Take(record.time_us, record.value);
  first_.clear();
  return forecast;
}

// The step is the median of those seen; the unit half again as large as the deviation.
void SequenceForecaster::Begin() {
  std::vector<graph::TimeUs> steps;
  double sum = 0.0;
  for (std::size_t i = 0; i < first_.size(); ++i) {
    if (i > 0) steps.push_back(first_[i].time_us - first_[i - 1].time_us);
    sum += first_[i].value;
  }
  std::ranges::sort(steps);
  if (settings_.step_us == 0) settings_.step_us = steps[steps.size() / 2];
  const double mean = sum / static_cast<double>(first_.size());
  double squares = 0.0;
  for (const Record& record : first_) squares += (record.value - mean) * (record.value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(first_.size()));
  origin_ = mean;
  unit_ = 1.45 * std::max({deviation, 1e-6 * std::abs(mean), 1e-12});
  BeginSeason();
}

void SequenceForecaster::BeginSeason() {
  const std::int64_t day = DayRecords(settings_.step_us);
  residuals_.emplace_back(day == 0 ? 48 : day, settings_.horizon);
  if (day > 0) neighbors_.emplace_back(NeighborOptions{.day = day, .horizon = settings_.horizon});
}

double& SequenceForecaster::BiasOf(std::size_t expert, CalendarPlace place) {
  const std::size_t of = expert == kLinear ? 0 : 1;
  const std::size_t kind = place.is_weekend() ? 1 : 0;
  return bias_[(of * 2 + kind) * kDaySlots + static_cast<std::size_t>(place.day_slot())];
}

Forecast SequenceForecaster::Take(graph::TimeUs time_us, double value) {
  const double scaled = (value - origin_) / unit_;
  if (static_cast<std::int64_t>(pending_.size()) >= settings_.horizon) {
    LearnFrom(pending_.front(), scaled);
    pending_.pop_front();
  }
  UpdateSlots(PlaceOf(time_us), scaled);
  return Make(time_us, scaled);
}

void SequenceForecaster::LearnFrom(const Pending& pending, double value) {
  const Forecast& forecast = pending.forecast;
  const std::int32_t slot = pending.target.day_slot();
  // What each expert thought likely: a small stretch around what came, so small that experts that
  // know exactly are told from those that know roughly.
  double near = 0.5 * SlotHistogram::kWidth;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (forecast.weight[e] > 0.0 && e != kHistogram) near = std::min(near, forecast.point[e].scale);
  const double begin = forecast.origin + forecast.unit * (value - near);
  const double end = forecast.origin + forecast.unit * (value + near);
  std::array<double, kForecastExperts> probability = {};
  double known = 0.0, known_count = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    if (forecast.weight[e] <= 0.0) continue;
    const auto expert = static_cast<ForecastExpert>(e);
    probability[e] = forecast.Below(expert, end) - forecast.Below(expert, begin);
    known += probability[e];
    known_count += 1.0;
  }
  if (known_count > 0.0) {
    // Those without an opinion fare like the mean.
    for (std::size_t e = 0; e < kForecastExperts; ++e)
      if (pending.forecast.weight[e] <= 0.0) probability[e] = known / known_count;
    weights_.Learn(slot, probability);
    std::array<double, Forecast::kWidths.size()> by_width;
    for (std::size_t w = 0; w < by_width.size(); ++w)
      by_width[w] = forecast.BelowAt(Forecast::kWidths[w], end) -
                    forecast.BelowAt(Forecast::kWidths[w], begin);
    widths_.Learn(slot, by_width);
  }
  for (const std::size_t e : {std::size_t{kLinear}, std::size_t{kNeighbors}}) {
    if (pending.forecast.weight[e] <= 0.0) continue;
    const double scale = scales_[e].At(slot);
    const double error = value - pending.forecast.point[e].point;
    BiasOf(e, pending.target) += 0.15 * std::clamp(error, -3.0 * scale, 3.0 * scale);
  }
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (e != kHistogram && pending.raw[e] == pending.raw[e])
      scales_[e].Learn(slot, value - pending.forecast.point[e].point);
  linear_.Learn(pending.features, value);
  ++linear_count_;
}

void SequenceForecaster::UpdateSlots(CalendarPlace place, double value) {
  const auto slot = static_cast<std::size_t>(place.week_slot);
  residuals_.front().Add(value - slow_[slot]);
  const bool first = seen_[slot] == 0.0;
  fast_[slot] = first ? value : fast_[slot] + kFastRate * (value - fast_[slot]);
  slow_[slot] = first ? value : slow_[slot] + kSlowRate * (value - slow_[slot]);
  seen_[slot] += 1.0;
  histogram_.Add(place.week_slot, value);
  if (!neighbors_.empty()) neighbors_.front().Add(value);
}

Forecast SequenceForecaster::Make(graph::TimeUs time_us, double value) {
  Pending pending;
  pending.target = PlaceOf(time_us + settings_.horizon * settings_.step_us);
  const auto slot = static_cast<std::size_t>(pending.target.week_slot);
  pending.features = residuals_.front().At(pending.target, slow_[slot], fast_[slot]);
  const double kNone = std::nan("");
  auto& raw = pending.raw;
  raw.fill(kNone);
  const bool slot_known = seen_[slot] > 0.0;
  if (slot_known) {
    raw[kSlotFast] = fast_[slot];
    raw[kSlotSlow] = slow_[slot];
    raw[kHistogram] = 0.0;
  }
  raw[kLinear] = linear_.Predict(pending.features);
  if (!neighbors_.empty())
    if (const auto found = neighbors_.front().Forecast(pending.target.weekday()))
      raw[kNeighbors] = *found;
  raw[kPersistence] = value;
  Forecast& forecast = pending.forecast;
  forecast.origin = origin_;
  forecast.unit = unit_;
  const std::int32_t day_slot = pending.target.day_slot();
  const std::vector<double> weight = weights_.At(day_slot);
  double all = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    if (raw[e] != raw[e]) continue;
    const bool biased = e == kLinear || e == kNeighbors;
    forecast.point[e] = {raw[e] + (biased ? BiasOf(e, pending.target) : 0.0),
                         scales_[e].At(day_slot)};
    const bool ready = e == kHistogram ||
                       (scales_[e].knows_any() && (e != kLinear || linear_count_ >= kLinearFewest));
    if (!ready) continue;
    forecast.weight[e] = weight[e];
    all += weight[e];
  }
  if (all <= 0.0) {
    forecast.weight[kPersistence] = all = 1.0;
    forecast.point[kPersistence].scale = 1.0;
  }
  if (forecast.weight[kHistogram] > 0.0) {
    forecast.histogram = histogram_.At(pending.target.week_slot);
    double below = 0.0;
    std::int64_t bucket = 0;
    while (bucket + 1 < SlotHistogram::kBuckets &&
           (below += forecast.histogram[static_cast<std::size_t>(bucket)]) < 0.5)
      ++bucket;
    forecast.point[kHistogram].point = SlotHistogram::BeginOf(bucket) + 0.5 * SlotHistogram::kWidth;
  }
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    forecast.weight[e] /= all;
    if (forecast.weight[e] > 0.0) forecast.mean += forecast.weight[e] * forecast.point[e].point;
  }
  forecast.mean = origin_ + unit_ * forecast.mean;
  const std::vector<double> widths = widths_.At(day_slot);
  std::ranges::copy(widths, forecast.width_weight.begin());
  pending_.push_back(pending);
  return forecast;
}

}  // namespace weft::operators::sequence
