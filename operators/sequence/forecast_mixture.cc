#include "operators/sequence/forecast_mixture.h"

#include <algorithm>
#include <cmath>

#include "gpu/elementary.h"

namespace weft::operators::sequence {
namespace {

constexpr double kLeastScale = 1e-4;

// Of a narrow and a wide logistic distribution.
constexpr double kNarrow = 0.85, kWide = 0.15, kTimes = 3.0;

double Logistic(double x) { return static_cast<double>(gpu::Sigmoid(static_cast<float>(x))); }

void Reweigh(std::span<double> weight, std::span<const double> probability) {
  constexpr double kShared = 0.01, kLeast = 1e-12;
  double all = 0.0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] *= std::sqrt(std::max(probability[i], kLeast));
    all += weight[i];
  }
  for (double& one : weight)
    one = (1.0 - kShared) * one / all + kShared / static_cast<double>(weight.size());
}

}  // namespace

double ForecastScale::At(std::int32_t day_slot) const {
  const double slot = by_slot_[static_cast<std::size_t>(day_slot)];
  return std::max(0.62 * (0.7 * slot + 0.3 * all_), kLeastScale);
}

void ForecastScale::Learn(std::int32_t day_slot, double error) {
  constexpr double kRate = 0.06, kNeighborRate = 0.02, kAllRate = 0.005;
  const double size = std::abs(error);
  if (!knows_any()) {
    std::ranges::fill(by_slot_, size);
    all_ = std::max(size, 1e-12);
    return;
  }
  const auto move = [&](std::int32_t slot, double rate) {
    double& scale = by_slot_[static_cast<std::size_t>((slot + kDaySlots) % kDaySlots)];
    scale += rate * (size - scale);
  };
  move(day_slot, kRate);
  move(day_slot - 1, kNeighborRate);
  move(day_slot + 1, kNeighborRate);
  all_ += kAllRate * (size - all_);
}

double PointForecast::Below(double x) const {
  const double off = (x - point) / scale;
  return kNarrow * Logistic(off) + kWide * Logistic(off / kTimes);
}

// Of all kMost, so that the compiler knows how often its vectors go round.
std::array<PointForecast::Place, PointForecasts::kMost> PointForecasts::At(double x) const {
  float narrow[kMost], wide[kMost];
  for (std::size_t i = 0; i < kMost; ++i) {
    const double off = (x - all_[i].point) / all_[i].scale;
    narrow[i] = static_cast<float>(off);
    wide[i] = static_cast<float>(off / kTimes);
  }
  for (std::size_t i = 0; i < kMost; ++i) narrow[i] = gpu::Sigmoid(narrow[i]);
  for (std::size_t i = 0; i < kMost; ++i) wide[i] = gpu::Sigmoid(wide[i]);
  std::array<PointForecast::Place, kMost> places;
  for (std::size_t i = 0; i < kMost; ++i) {
    const auto near = static_cast<double>(narrow[i]), far = static_cast<double>(wide[i]);
    places[i].below = kNarrow * near + kWide * far;
    places[i].density =
        (kNarrow * near * (1.0 - near) + kWide / kTimes * far * (1.0 - far)) / all_[i].scale;
  }
  return places;
}

ExpertWeights::ExpertWeights(std::size_t experts)
    : experts_(experts),
      all_(experts, 1.0 / static_cast<double>(experts)),
      by_block_(kBlocks * experts, 1.0 / static_cast<double>(experts)) {}

std::vector<double> ExpertWeights::At(std::int32_t day_slot) const {
  const auto block = static_cast<std::size_t>(day_slot) * kBlocks / kDaySlots;
  std::vector<double> weight(experts_);
  double all = 0.0;
  for (std::size_t i = 0; i < experts_; ++i) {
    weight[i] = std::sqrt(all_[i] * by_block_[block * experts_ + i]);
    all += weight[i];
  }
  for (double& one : weight) one /= all;
  return weight;
}

void ExpertWeights::Learn(std::int32_t day_slot, std::span<const double> probability) {
  const auto block = static_cast<std::size_t>(day_slot) * kBlocks / kDaySlots;
  Reweigh(all_, probability);
  Reweigh(std::span(by_block_).subspan(block * experts_, experts_), probability);
}

}  // namespace weft::operators::sequence
