#include "operators/sequence/residual_features.h"

namespace weft::operators::sequence {

ResidualFeatures::ResidualFeatures(std::int64_t day)
    : day_(day), residuals_(static_cast<std::size_t>(7 * day + 1)) {}

double ResidualFeatures::Back(std::int64_t back) const {
  const auto size = static_cast<std::int64_t>(residuals_.size());
  if (back < 0 || back >= count_ || back >= size) return 0.0;
  return residuals_[static_cast<std::size_t>((count_ - 1 - back) % size)];
}

void ResidualFeatures::Add(double residual) {
  day_sum_ += residual - Back(day_ - 1);
  residuals_[static_cast<std::size_t>(count_ % static_cast<std::int64_t>(residuals_.size()))] =
      residual;
  ++count_;
}

std::array<double, ResidualFeatures::kColumns> ResidualFeatures::At(CalendarPlace target,
                                                                    std::int64_t horizon,
                                                                    double usual,
                                                                    double usual_lately) const {
  constexpr double kConstant = 0.3;
  const DayWaves waves = WavesOf(target.day_slot());
  const double wave[] = {waves.sine, waves.cosine, waves.sine2, waves.cosine2};
  const double weekend = target.is_weekend() ? 1.0 : 0.0;
  const double day_before = Back(day_ - horizon), week_before = Back(7 * day_ - horizon);
  const double a_day_ago = Back(day_);
  const double day_mean = day_sum_ / static_cast<double>(day_);
  double earlier = 0.0;
  for (std::int64_t back = 3; back <= 6; ++back) earlier += Back(back) / 4.0;
  std::array<double, kColumns> columns;
  std::size_t at = 0;
  const auto add = [&](double column) { columns[at++] = column; };
  add(kConstant);
  add(usual);
  add(usual_lately);
  for (std::int64_t back = 0; back < 3; ++back) add(Back(back));
  add(earlier);
  add(day_before);
  add(week_before);
  add(a_day_ago);
  for (const double one : wave) add(Back(0) * one);
  for (const double one : wave) add(Back(1) * one);
  add(day_before * wave[0]);
  add(day_before * wave[1]);
  add(day_before * weekend);
  add(day_mean);
  add(day_mean * weekend);
  for (const double one : wave) add(kConstant * one);
  add(a_day_ago * wave[0]);
  add(a_day_ago * wave[1]);
  add(Back(0) * weekend);
  return columns;
}

}  // namespace weft::operators::sequence
