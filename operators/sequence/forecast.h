// Forecast: where a series will be, as a distribution: the mixture of several experts' opinions.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "operators/sequence/forecast_mixture.h"
#include "operators/sequence/slot_histogram.h"

namespace weft::operators::sequence {

enum ForecastExpert : std::size_t {
  kSlotFast,     // mean of the time of week, fading fast
  kSlotSlow,     // fading slowly
  kLinear,       // recursive least squares over residuals
  kNeighbors,    // days that went alike
  kHistogram,    // what came at the time of week
  kPersistence,  // stays as it is
  kForecastExperts,
};
std::string_view NameOf(ForecastExpert expert);

// Of the value a horizon ahead. A mixture; quantiles and probabilities come from it.
class Forecast {
 public:
  double mean = 0.0;
  std::array<double, kForecastExperts> weight = {};  // 0: has no opinion yet
  std::array<PointForecast, kForecastExperts> point = {};
  std::vector<double> histogram;  // of kHistogram, in SlotHistogram's buckets
  // How narrow the mixture is taken to be: experts that agree know more together than each alone.
  static constexpr std::array<double, 4> kWidths = {0.5, 0.7, 1.0, 1.5};
  std::array<double, kWidths.size()> width_weight = {0.0, 0.0, 1.0, 0.0};
  double origin = 0.0, unit = 0.0;  // points and buckets are (x - origin) / unit

  bool is_known() const { return unit > 0.0; }
  // Probability of less than x.
  double Below(double x) const { return At(Points(), x).below; }
  // The x below which it will be with this probability.
  double Quantile(double probability) const;

  // The expert's own, at a width.
  double Below(ForecastExpert expert, double x, double width = 1.0) const;
  // The mixture's at one width.
  double BelowAt(double width, double x) const;

 private:
  using Place = PointForecast::Place;
  static_assert((kForecastExperts - 1) * kWidths.size() <= PointForecasts::kMost);

  // `points`: Points().
  Place At(const PointForecasts& points, double x) const;
  Place HistogramAt(double scaled) const;
  // Of the experts that count, at each width that does.
  PointForecasts Points() const;
};

}  // namespace weft::operators::sequence
