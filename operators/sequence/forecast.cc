#include "operators/sequence/forecast.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::sequence {

std::string_view NameOf(ForecastExpert expert) {
  constexpr std::array<std::string_view, kForecastExperts> kNames = {
      "slot_fast", "slot_slow", "linear", "neighbors", "histogram", "persistence"};
  return kNames[expert];
}

Forecast::Place Forecast::HistogramAt(double scaled) const {
  constexpr double kWidth = SlotHistogram::kWidth;
  const double buckets = (scaled - SlotHistogram::BeginOf(0)) / kWidth;
  if (buckets <= 0.0) return {};
  Place place;
  const auto whole =
      static_cast<std::size_t>(std::min(buckets, static_cast<double>(SlotHistogram::kBuckets)));
  for (std::size_t b = 0; b < whole; ++b) place.below += histogram[b];
  if (whole < histogram.size()) {
    place.below += histogram[whole] * (buckets - static_cast<double>(whole));
    place.density = histogram[whole] / kWidth;
  }
  return place;
}

double Forecast::Below(ForecastExpert expert, double x, double width) const {
  const double scaled = (x - origin) / unit;
  if (expert == kHistogram) return HistogramAt(scaled).below;
  return PointForecast{point[expert].point, width * point[expert].scale}.Below(scaled);
}

double Forecast::BelowAt(double width, double x) const {
  double below = 0.0;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    if (weight[e] > 0.0) below += weight[e] * Below(static_cast<ForecastExpert>(e), x, width);
  return below;
}

PointForecasts Forecast::Points() const {
  PointForecasts points;
  for (std::size_t e = 0; e < kForecastExperts; ++e)
    for (std::size_t w = 0; w < kWidths.size(); ++w)
      if (weight[e] > 0.0 && e != kHistogram && width_weight[w] > 0.0)
        points.Add({point[e].point, kWidths[w] * point[e].scale});
  return points;
}

Forecast::Place Forecast::At(const PointForecasts& points, double x) const {
  const double scaled = (x - origin) / unit;
  const auto places = points.At(scaled);
  Place place;
  std::size_t next = 0;
  for (std::size_t e = 0; e < kForecastExperts; ++e) {
    if (weight[e] <= 0.0) continue;
    Place one;
    if (e == kHistogram) {
      one = HistogramAt(scaled);
    } else {
      for (std::size_t w = 0; w < kWidths.size(); ++w) {
        if (width_weight[w] <= 0.0) continue;
        one.below += width_weight[w] * places[next].below;
        one.density += width_weight[w] * places[next].density;
        ++next;
      }
    }
    place.below += weight[e] * one.below;
    place.density += weight[e] * one.density;
  }
  place.density /= unit;
  return place;
}

// Newton's steps, between bounds that close in on it.
double Forecast::Quantile(double probability) const {
  constexpr int kMostSteps = 60;
  constexpr double kClose = 1e-5;
  const PointForecasts points = Points();
  const auto below = [&](double x) { return At(points, x).below; };
  double low = mean - unit, high = mean + unit;
  for (int i = 0; i < kMostSteps && below(low) > probability; ++i) low -= high - low;
  for (int i = 0; i < kMostSteps && below(high) < probability; ++i) high += high - low;
  double x = mean;
  for (int i = 0; i < kMostSteps; ++i) {
    const Place place = At(points, x);
    const double off = place.below - probability;
    if (std::abs(off) < kClose) break;
    (off < 0.0 ? low : high) = x;
    const double next = place.density > 0.0 ? x - off / place.density : low;
    x = next > low && next < high ? next : 0.5 * (low + high);
  }
  return x;
}

}  // namespace weft::operators::sequence
