#include "operators/sequence/forecast_scoring.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "operators/learn/process_cost.h"
#include "operators/sequence/calendar.h"
#include "operators/sequence/htm_forecaster.h"

namespace weft::operators::sequence {
namespace {

constexpr double kLeastProbability = 0.01;

// The next number of one digit away from 0.
double RoundUp(double value) {
  if (value == 0.0) return 0.0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))));
  const double digits = std::abs(value) / unit;
  return std::copysign(std::ceil(digits - 1e-9) * unit, value);
}

class Buckets {
 public:
  Buckets(double least, double most, std::int64_t count)
      : least_(least), width_((most - least) / static_cast<double>(count - 1)), count_(count) {}
  std::int64_t Of(double value) const {
    const auto bucket = static_cast<std::int64_t>(std::floor((value - least_) / width_ + 0.5));
    return std::clamp<std::int64_t>(bucket, 0, count_ - 1);
  }
  // Values of the outermost ones go on without end.
  double BeginOf(std::int64_t bucket) const {
    return least_ + (static_cast<double>(bucket) - 0.5) * width_;
  }
  double MiddleOf(std::int64_t bucket) const {
    return least_ + static_cast<double>(bucket) * width_;
  }
  std::int64_t count() const { return count_; }

 private:
  double least_, width_;
  std::int64_t count_;
};

class Figures {
 public:
  explicit Figures(double deviation) : deviation_(deviation) {}

  void Add(double value, double forecast, double probability) {
    errors_ += std::abs(value - forecast);
    values_ += std::abs(value);
    squares_ += (value - forecast) * (value - forecast);
    loss_ -= std::log(std::max(probability, kLeastProbability));
    count_ += 1.0;
  }
  void AddQuantile(double below) {
    below_[0] += below < 0.1 ? 1.0 : 0.0;
    below_[1] += below < 0.5 ? 1.0 : 0.0;
    below_[2] += below < 0.9 ? 1.0 : 0.0;
  }
  ForecastFigures Get() const {
    if (count_ == 0.0) return {};
    ForecastFigures figures;
    figures.mape = values_ > 0.0 ? errors_ / values_ : 0.0;
    figures.nrmse = deviation_ > 0.0 ? std::sqrt(squares_ / count_) / deviation_ : 0.0;
    figures.nll = loss_ / count_;
    figures.below_p10 = below_[0] / count_;
    figures.below_p50 = below_[1] / count_;
    figures.below_p90 = below_[2] / count_;
    return figures;
  }

 private:
  double deviation_;
  double errors_ = 0.0, values_ = 0.0, squares_ = 0.0, loss_ = 0.0, count_ = 0.0;
  double below_[3] = {};
};

// Counts of buckets by time of week, fading.
class SlotCounts {
 public:
  explicit SlotCounts(std::int64_t buckets) : buckets_(buckets) {}
  void Add(std::int32_t slot, std::int64_t bucket) {
    auto& counts = counts_[slot];
    counts.resize(static_cast<std::size_t>(buckets_));
    for (double& count : counts) count *= 0.9;
    counts[static_cast<std::size_t>(bucket)] += 1.0;
  }
  std::vector<double> At(std::int32_t slot) const {
    std::vector<double> probability(static_cast<std::size_t>(buckets_), 0.02);
    if (const auto found = counts_.find(slot); found != counts_.end())
      for (std::size_t b = 0; b < probability.size(); ++b) probability[b] += found->second[b];
    double all = 0.0;
    for (const double one : probability) all += one;
    for (double& one : probability) one /= all;
    return probability;
  }

 private:
  std::int64_t buckets_;
  std::map<std::int32_t, std::vector<double>> counts_;
};

// Shares of the errors that a forecast made before, by how many buckets it was off.
class ErrorCounts {
 public:
  explicit ErrorCounts(std::int64_t buckets)
      : buckets_(buckets), counts_(static_cast<std::size_t>(2 * buckets - 1), 0.02) {}
  double Probability(std::int64_t forecast, std::int64_t bucket) const {
    double all = 0.0;
    for (std::int64_t b = 0; b < buckets_; ++b) all += counts_[At(forecast, b)];
    return counts_[At(forecast, bucket)] / all;
  }
  void Add(std::int64_t forecast, std::int64_t bucket) { counts_[At(forecast, bucket)] += 1.0; }

 private:
  std::size_t At(std::int64_t forecast, std::int64_t bucket) const {
    return static_cast<std::size_t>(bucket - forecast + buckets_ - 1);
  }
  std::int64_t buckets_;
  std::vector<double> counts_;
};

// Of the values that are numbers.
struct ValueSummary {
  explicit ValueSummary(std::span<const double> value) {
    double sum = 0.0, squares = 0.0;
    for (const double one : value) {
      if (!std::isfinite(one)) continue;
      low = numbers == 0.0 ? one : std::min(low, one);
      high = numbers == 0.0 ? one : std::max(high, one);
      numbers += 1.0;
      sum += one;
      squares += one * one;
    }
    const double mean = numbers > 0.0 ? sum / numbers : 0.0;
    deviation = std::sqrt(std::max(squares / std::max(numbers, 1.0) - mean * mean, 0.0));
  }
  double low = 0.0, high = 0.0, deviation = 0.0, numbers = 0.0;
};

// What a model said of a record that was to come.
struct Expected {
  bool is_known = false;
  double point = 0.0;
  std::function<double(double)> below;  // probability of less than x
};

// A model that says something at every record.
class Source {
 public:
  virtual ~Source() = default;
  virtual Expected Next(graph::TimeUs time_us, double value) = 0;
  virtual std::size_t bytes() const = 0;
};

class WeftSource final : public Source {
 public:
  WeftSource(std::int64_t horizon, ExpertSet without)
      : forecaster_({.horizons = {horizon}, .without = without}) {}
  Expected Next(graph::TimeUs time_us, double value) override {
    forecaster_.Next(time_us, value);
    auto said = std::make_shared<const Forecast>(forecaster_.latest());
    return {said->is_known(), said->mean, [said](double x) { return said->Below(x); }};
  }
  std::size_t bytes() const override { return forecaster_.bytes(); }

 private:
  SequenceForecaster forecaster_;
};

class HtmSource final : public Source {
 public:
  HtmSource(const SequenceEvaluationOptions& options, const Buckets& buckets,
            std::span<const graph::TimeUs> time_us, std::span<const double> value)
      : buckets_(buckets),
        forecaster_({.least = buckets.MiddleOf(0),
                     .most = buckets.MiddleOf(buckets.count() - 1),
                     .buckets = buckets.count(),
                     .horizon = options.horizon,
                     .seed = options.seed}) {
    // As published: the pooler sees the first records beforehand.
    constexpr std::size_t kMostPrepared = 5000;
    const std::size_t count = std::min(kMostPrepared, value.size() * 2 / 7);
    forecaster_.Prepare(time_us.first(count), value.first(count));
  }
  Expected Next(graph::TimeUs time_us, double value) override {
    const std::vector<double> share = forecaster_.Next(time_us, value);
    // The median, which errs least by absolute value.
    return {true, Median(share), [this, share](double x) {
              double below = 0.0;
              for (std::int64_t b = 0; b < buckets_.count(); ++b) {
                const double inside =
                    (x - buckets_.BeginOf(b)) / (buckets_.BeginOf(b + 1) - buckets_.BeginOf(b));
                below += share[static_cast<std::size_t>(b)] * std::clamp(inside, 0.0, 1.0);
              }
              return below;
            }};
  }
  std::size_t bytes() const override { return forecaster_.bytes(); }

 private:
  double Median(const std::vector<double>& share) const {
    double below = 0.0;
    std::int64_t b = 0;
    for (; b + 1 < buckets_.count() && below + share[static_cast<std::size_t>(b)] < 0.5; ++b)
      below += share[static_cast<std::size_t>(b)];
    const double here = share[static_cast<std::size_t>(b)];
    const double inside = here > 0.0 ? std::clamp((0.5 - below) / here, 0.0, 1.0) : 0.5;
    return buckets_.BeginOf(b) + inside * (buckets_.BeginOf(b + 1) - buckets_.BeginOf(b));
  }

  const Buckets& buckets_;
  HtmForecaster forecaster_;
};

// Follows a series with a model and the trivial forecasts.
class Comparison {
 public:
  Comparison(std::int64_t horizon, Source& source, const Buckets& buckets, double deviation)
      : horizon_(horizon),
        buckets_(buckets),
        source_(source),
        by_slot_(buckets.count()),
        by_persistence_(buckets.count()),
        by_season_(buckets.count()),
        forecast_(deviation),
        persistence_(deviation),
        seasonal_(deviation),
        histogram_(deviation) {}

  // The next record; whether what was said of it counts.
  void Take(graph::TimeUs time_us, double value, bool scores) {
    const CalendarPlace place = PlaceOf(time_us);
    const bool is_due = static_cast<std::int64_t>(said_.size()) == horizon_;
    if (is_due && std::isfinite(value) && std::isfinite(said_.front().value))
      Compare(place, value, scores);
    // Baselines know what was known when the forecast was made, and no more.
    if (is_due) {
      Know(said_.front().place, said_.front().value);
      said_.pop_front();
    }
    said_.push_back({place, value, source_.Next(time_us, value)});
  }

  void Fill(SequenceEvaluation& result) const {
    result.scored = scored_;
    result.forecast = forecast_.Get();
    result.persistence = persistence_.Get();
    result.seasonal = seasonal_.Get();
    result.histogram = histogram_.Get();
    result.bytes = source_.bytes();
  }

 private:
  struct Said {
    CalendarPlace place;  // of the record at which it was said
    double value = 0.0;
    Expected expected;
  };

  void Know(CalendarPlace place, double value) {
    if (!std::isfinite(value)) return;
    last_week_[place.week_slot] = value;
    by_slot_.Add(place.week_slot, buckets_.Of(value));
  }

  void Compare(CalendarPlace place, double value, bool scores) {
    const double before = said_.front().value;
    const auto week = last_week_.find(place.week_slot);
    const double season = week == last_week_.end() ? before : week->second;
    const std::int64_t bucket = buckets_.Of(value), stays = buckets_.Of(before),
                       season_bucket = buckets_.Of(season);
    if (scores) {
      ++scored_;
      ScoreForecast(value, bucket);
      persistence_.Add(value, before, by_persistence_.Probability(stays, bucket));
      seasonal_.Add(value, season, by_season_.Probability(season_bucket, bucket));
      const std::vector<double> usual = by_slot_.At(place.week_slot);
      double mean = 0.0;
      for (std::int64_t b = 0; b < buckets_.count(); ++b)
        mean += usual[static_cast<std::size_t>(b)] * buckets_.MiddleOf(b);
      histogram_.Add(value, mean, usual[static_cast<std::size_t>(bucket)]);
    }
    by_persistence_.Add(stays, bucket);
    by_season_.Add(season_bucket, bucket);
  }

  void ScoreForecast(double value, std::int64_t bucket) {
    const Expected& said = said_.front().expected;
    if (!said.is_known) {
      forecast_.Add(value, said_.front().value, 0.0);
      return forecast_.AddQuantile(0.5);
    }
    const double from = bucket == 0 ? 0.0 : said.below(buckets_.BeginOf(bucket));
    const double to =
        bucket + 1 == buckets_.count() ? 1.0 : said.below(buckets_.BeginOf(bucket + 1));
    forecast_.Add(value, said.point, to - from);
    forecast_.AddQuantile(said.below(value));
  }

  const std::int64_t horizon_;
  const Buckets& buckets_;
  Source& source_;
  std::deque<Said> said_;
  std::map<std::int32_t, double> last_week_;
  SlotCounts by_slot_;
  ErrorCounts by_persistence_, by_season_;
  Figures forecast_, persistence_, seasonal_, histogram_;
  std::int64_t scored_ = 0;
};

}  // namespace

SequenceEvaluation EvaluateForecasts(std::span<const graph::TimeUs> time_us,
                                     std::span<const double> value,
                                     const SequenceEvaluationOptions& options) {
  const auto count = static_cast<std::int64_t>(value.size());
  const ValueSummary summary(value);
  SequenceEvaluation result;
  result.records = count;
  result.missing = count - static_cast<std::int64_t>(summary.numbers);
  const bool given = options.most_value > options.least;
  result.least = given ? options.least : summary.low >= 0.0 ? 0.0 : RoundUp(summary.low);
  result.most = given ? options.most_value : summary.high <= 0.0 ? 0.0 : RoundUp(summary.high);
  if (result.most <= result.least) result.most = result.least + 1.0;
  const Buckets buckets(result.least, result.most, options.bucket_count);
  const std::int64_t skip =
      options.skip >= 0 ? options.skip : std::min<std::int64_t>(10'000, count * 3 / 5);
  const std::int64_t end = options.most < 0 ? count : std::min(count, skip + options.most);
  const double begin = learn::ProcessCpuSeconds();
  std::unique_ptr<Source> source;
  if (options.model == ForecastModel::kWeft) {
    source = std::make_unique<WeftSource>(options.horizon, options.without);
  } else {
    source = std::make_unique<HtmSource>(options, buckets, time_us, value);
  }
  result.init_seconds = learn::ProcessCpuSeconds() - begin;
  Comparison comparison(options.horizon, *source, buckets, summary.deviation);
  for (std::int64_t i = 0; i < count; ++i)
    comparison.Take(time_us[static_cast<std::size_t>(i)], value[static_cast<std::size_t>(i)],
                    i >= skip && i < end);
  comparison.Fill(result);
  return result;
}

}  // namespace weft::operators::sequence
