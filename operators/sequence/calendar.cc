#include "operators/sequence/calendar.h"

namespace weft::operators::sequence {
namespace {

// The Taylor series of sine at x in [-pi, pi], to all bits that matter.
double Sine(double x) {
  double term = x, sum = x;
  for (int k = 2; k < 40; k += 2) {
    term *= -x * x / (k * (k + 1));
    sum += term;
  }
  return sum;
}

std::array<DayWaves, kDaySlots> AllWaves() {
  constexpr double kPi = 3.14159265358979323846;
  const auto wrapped = [](double x) { return x > kPi ? x - 2.0 * kPi : x; };
  std::array<DayWaves, kDaySlots> waves;
  for (std::size_t slot = 0; slot < waves.size(); ++slot) {
    const double angle = wrapped(2.0 * kPi * static_cast<double>(slot) / kDaySlots);
    DayWaves& wave = waves[slot];
    wave.sine = Sine(angle);
    wave.cosine = Sine(wrapped(angle + 0.5 * kPi));
    wave.sine2 = 2.0 * wave.sine * wave.cosine;
    wave.cosine2 = 1.0 - 2.0 * wave.sine * wave.sine;
  }
  return waves;
}

}  // namespace

DayWaves WavesOf(std::int32_t day_slot) {
  static const std::array<DayWaves, kDaySlots> kWaves = AllWaves();
  return kWaves[static_cast<std::size_t>(day_slot)];
}

}  // namespace weft::operators::sequence
