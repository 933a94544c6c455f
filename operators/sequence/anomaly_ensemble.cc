#include "operators/sequence/anomaly_ensemble.h"

#include <algorithm>
#include <cmath>

#include "operators/sequence/calendar.h"
#include "operators/sequence/elementary.h"
#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {
namespace {

constexpr double kSpreadLength = 3000.0, kLevelLength = 100.0, kCalmLength = 2000.0;

std::size_t SlotOf(graph::TimeUs time_us, Season season) {
  return static_cast<std::size_t>(PlaceOf(time_us, season).day_slot());
}

}  // namespace

std::string_view NameOf(AnomalyExpert expert) {
  constexpr std::array<std::string_view, kAnomalyExperts> kNames = {
      "range", "level", "season", "variance",        "shape3",      "shape18",    "extremes3",
      "zone2", "zone5", "burst1", "burst_extremes3", "burst_zone2", "burst_zone5"};
  return kNames[expert];
}

AnomalyEnsemble::AnomalyEnsemble() : held_(kHeld * kAnomalyExperts) {
  const DiscordOptions shapes[kShapes] = {
      {.block = 1},
      {.block = 3},
      {.block = 18},
      {.block = 3, .value = BlockValue::kExtremum},
      {.block = 2, .value = BlockValue::kExtremum, .dead_zone = true},
      {.block = 5, .value = BlockValue::kExtremum, .dead_zone = true}};
  for (const DiscordOptions& shape : shapes) shapes_.emplace_back(shape);
  for (std::size_t i = 0; i < kRanks; ++i)
    ranks_.emplace_back(i < kRankShapes ? RankOptions{} : RankOptions{.skipped = 4, .fewest = 30});
}

std::size_t AnomalyEnsemble::bytes() const {
  std::size_t bytes = sizeof(*this) + season_.bytes() + slots_.capacity() * sizeof(Slot) +
                      held_.capacity() * sizeof(float) + latest_.capacity() * sizeof(double);
  for (const Discord& shape : shapes_) bytes += sizeof(shape) + shape.bytes();
  for (const RankCalibration& ranks : ranks_) bytes += sizeof(ranks) + ranks.bytes();
  for (const BurstLikelihood& burst : bursts_) bytes += burst.bytes();
  return bytes;
}

AnomalyVerdict AnomalyEnsemble::Next(graph::TimeUs time_us, double value) {
  if (!std::isfinite(value)) value = last_;
  if (count_ == 0) low_ = high_ = value;
  if (season_.Next(time_us, value)) std::ranges::fill(slots_, Slot{});
  const std::size_t slot = SlotOf(time_us, season_.season());
  AnomalyVerdict verdict;
  Judge(value, slot, verdict);
  verdict.score = Mix(verdict) / RankCalibration::kMost;
  verdict.alarm = alarm_.Next(verdict.score);
  Learn(value, slot);
  // Shapes that stay new, or values that stay far from their season: another regime has begun.
  if (ranks_[std::size_t{kRankShapes} + std::size_t{kBlocks1}].has_forgotten() ||
      ranks_[kRankSeason].has_forgotten())
    Forget();
  return verdict;
}

// What was seen before says little of what comes now.
void AnomalyEnsemble::Forget() {
  low_ = *std::ranges::min_element(latest_);
  high_ = *std::ranges::max_element(latest_);
  spread_ = {};
  for (const double one : latest_) spread_.Add(one, kSpreadLength);
  for (Slot& slot : slots_) slot.count = std::min(slot.count, 2.0);
}

double AnomalyEnsemble::OutsideRange(double value) const {
  if (count_ == 0 || range() <= 0.0) return 0.0;
  const double outside = std::max({low_ - value, value - high_, 0.0}) / range();
  return outside >= 0.05 ? 4.0 + std::min(2.0, outside) : 0.0;
}

// How far the logarithm of the latest variance is from what it usually is.
double AnomalyEnsemble::Variance(double value) {
  if (static_cast<std::int64_t>(latest_.size()) < kVarianceWindow) {
    latest_.push_back(value);
  } else {
    latest_[static_cast<std::size_t>(count_ % kVarianceWindow)] = value;
  }
  const auto size = static_cast<double>(latest_.size());
  double sum = 0.0;
  for (const double one : latest_) sum += one;
  double squares = 0.0;
  for (const double one : latest_) squares += (one - sum / size) * (one - sum / size);
  calm_now_ = Log(std::sqrt(squares / size) + 0.02 * spread_.deviation + 1e-9);
  return std::abs(calm_now_ - calm_.mean) / (calm_.deviation + 0.05);
}

void AnomalyEnsemble::Judge(double value, std::size_t slot, AnomalyVerdict& verdict) {
  const double floor = 1e-6 + 1e-3 * range();
  verdict.by_expert[kRange] = OutsideRange(value);
  verdict.by_expert[kLevel] =
      ranks_[kRankLevel].Next(std::abs(value - level_.mean) / (level_.deviation + floor));
  const Slot& usual = slots_[slot];
  if (usual.count >= 2.0)
    verdict.by_expert[kSeason] = ranks_[kRankSeason].Next(
        std::abs(value - usual.mean) / (0.5 * usual.deviation + 0.15 * spread_.deviation + floor));
  verdict.by_expert[kVariance] = ranks_[kRankVariance].Next(Variance(value));
  JudgeShapes(value, verdict);
}

void AnomalyEnsemble::JudgeShapes(double value, AnomalyVerdict& verdict) {
  for (std::size_t shape = 0; shape < kShapes; ++shape)
    if (const auto statistic = shapes_[shape].Next(value, spread_.deviation)) {
      statistic_[shape] = *statistic;
      rarity_[shape] = ranks_[kRankShapes + shape].Next(*statistic);
    }
  // A deviation that is rare and tiny is no matter.
  const auto by_size = [this](Shape shape) {
    const double size = range() > 0.0 ? statistic_[shape] / range() : 0.0;
    return rarity_[shape] * std::min(1.0, size / 0.1);
  };
  verdict.by_expert[kShape3] = by_size(kBlocks3);
  verdict.by_expert[kShape18] = by_size(kBlocks18);
  verdict.by_expert[kExtremes3] = by_size(kEx3);
  verdict.by_expert[kZone2] = rarity_[kAr2];
  verdict.by_expert[kZone5] = rarity_[kAr5];
  constexpr std::array<Shape, 4> kBursts = {kBlocks1, kEx3, kAr2, kAr5};
  for (std::size_t i = 0; i < kBursts.size(); ++i) {
    const double unusual = bursts_[i].Next(std::min(1.0, rarity_[kBursts[i]] / 2.0));
    verdict.by_expert[kBurst1 + i] = 0.6 * std::max(0.0, unusual - 0.301);
  }
}

std::array<double, kAnomalyExperts> AnomalyEnsemble::Held() const {
  std::array<double, kAnomalyExperts> held = {};
  for (std::size_t h = 0; h < static_cast<std::size_t>(kHeld); ++h)
    for (std::size_t e = 0; e < kAnomalyExperts; ++e)
      held[e] = std::max(held[e], static_cast<double>(held_[h * kAnomalyExperts + e]));
  return held;
}

AnomalyEnsemble::Usual AnomalyEnsemble::UsualAt(graph::TimeUs time_us) const {
  const Slot& slot = slots_[SlotOf(time_us, season_.season())];
  return {low_, high_, level_.mean, slot.count > 0.0 ? slot.mean : std::nan("")};
}

// Between the mean of the experts and the largest of them.
double AnomalyEnsemble::Mix(const AnomalyVerdict& verdict) {
  constexpr double kSharpness = 0.6;
  float* const now = held_.data() + static_cast<std::size_t>(count_ % kHeld) * kAnomalyExperts;
  for (std::size_t e = 0; e < kAnomalyExperts; ++e)
    now[e] = static_cast<float>(verdict.by_expert[e]);
  double sum = 0.0;
  for (const double largest : Held()) sum += Exp(kSharpness * largest);
  return Log(sum / static_cast<double>(kAnomalyExperts)) / kSharpness;
}

void AnomalyEnsemble::Learn(double value, std::size_t slot) {
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
  spread_.Add(value, kSpreadLength);
  level_.Add(value, kLevelLength);
  calm_.Add(calm_now_, kCalmLength);
  Slot& usual = slots_[slot];
  const double rate = std::max(1.0 / (usual.count + 1.0), 1.0 / 200.0);
  const double distance = usual.count == 0.0 ? 0.0 : value - usual.mean;
  usual.mean = usual.count == 0.0 ? value : usual.mean + rate * distance;
  usual.deviation += rate * (std::abs(distance) - usual.deviation);
  usual.count += 1.0;
  last_ = value;
  ++count_;
}

}  // namespace weft::operators::sequence
