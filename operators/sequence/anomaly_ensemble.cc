#include "operators/sequence/anomaly_ensemble.h"

#include <algorithm>
#include <cmath>

#include "operators/sequence/elementary.h"
#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {
namespace {

constexpr double kCalmLength = 2000.0;
// Of a series that is as young as this nothing is out of range: hardly any of it has been seen.
constexpr std::int64_t kYoung = 20;

}  // namespace

std::string_view NameOf(AnomalyExpert expert) {
  constexpr std::array<std::string_view, kAnomalyExperts> kNames = {
      "range", "level", "season", "variance",        "shape3",      "shape18",    "extremes3",
      "zone2", "zone5", "burst1", "burst_extremes3", "burst_zone2", "burst_zone5"};
  return kNames[expert];
}

AnomalyEnsemble::AnomalyEnsemble(ExpertSet without)
    : mixture_(kAnomalyExperts, /*held=*/15, /*sharpness=*/0.6, without) {
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
  std::size_t bytes =
      sizeof(*this) + season_.bytes() + mixture_.bytes() + latest_.capacity() * sizeof(double);
  for (const Discord& shape : shapes_) bytes += sizeof(shape) + shape.bytes();
  for (const RankCalibration& ranks : ranks_) bytes += sizeof(ranks) + ranks.bytes();
  for (const BurstLikelihood& burst : bursts_) bytes += burst.bytes();
  return bytes;
}

AnomalyVerdict AnomalyEnsemble::Next(graph::TimeUs time_us, double value) {
  if (!std::isfinite(value)) value = last_;
  // Of many series in turn each finds its state far away, in many places.
  for (const RankCalibration& ranks : ranks_) ranks.Prefetch();
  for (const Discord& shape : shapes_) shape.Prefetch();
  season_.Begin(time_us, value);
  AnomalyVerdict verdict;
  Judge(value, verdict);
  verdict.score = mixture_.Next(verdict.by_expert) / RankCalibration::kMost;
  verdict.alarm = alarm_.Next(verdict.score);
  Learn(value);
  // Shapes that stay new, or values that stay far from their season: another regime has begun.
  if (ranks_[std::size_t{kRankShapes} + std::size_t{kBlocks1}].has_forgotten() ||
      ranks_[kRankSeason].has_forgotten())
    Forget();
  return verdict;
}

// What was seen before says little of what comes now. Experts that begin anew are ranked anew: how
// far they were off until now is no measure. Shapes are those of the whole past, but distances of
// another scale are none either.
void AnomalyEnsemble::Forget() {
  constexpr std::int64_t kLately = 200;  // records
  constexpr std::int64_t kFewest = 30;   // statistics
  bounds_ = {};
  for (const double one : latest_) bounds_.Learn(one);
  season_.Forget();
  ranks_[kRankSeason].KeepLatest(0);
  calm_ = {};
  calm_.Add(calm_now_, kCalmLength);
  ranks_[kRankVariance].KeepLatest(0);
  for (std::size_t i = 0; i < kShapes; ++i) {
    shapes_[i].Forget();
    ranks_[kRankShapes + i].KeepLatest(
        static_cast<std::size_t>(std::max(kFewest, kLately / shapes_[i].block())));
  }
}

double AnomalyEnsemble::OutsideRange(double value) const {
  if (count_ < kYoung || bounds_.range() <= 0.0) return 0.0;
  const double outside =
      std::max({bounds_.low - value, value - bounds_.high, 0.0}) / bounds_.range();
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
  calm_now_ = Log(std::sqrt(squares / size) + 0.02 * bounds_.spread.deviation + 1e-9);
  return std::abs(calm_now_ - calm_.mean) / (calm_.deviation + 0.05);
}

// All statistics first: the ranks of each lie far away in memory and are asked for at once.
void AnomalyEnsemble::Judge(double value, AnomalyVerdict& verdict) {
  std::array<std::optional<double>, kRanks> statistic;
  statistic[kRankLevel] = level_.Of(value, bounds_);
  statistic[kRankSeason] = season_.Of(value, bounds_);
  statistic[kRankVariance] = Variance(value);
  for (std::size_t shape = 0; shape < kShapes; ++shape)
    statistic[kRankShapes + shape] = shapes_[shape].Next(value, bounds_.spread.deviation);
  for (std::size_t i = 0; i < kRanks; ++i)
    if (statistic[i]) ranks_[i].Prefetch(*statistic[i]);
  const auto rarity = [&](std::size_t i) { return ranks_[i].Next(*statistic[i]); };
  verdict.by_expert[kRange] = OutsideRange(value);
  verdict.by_expert[kLevel] = rarity(kRankLevel);
  if (statistic[kRankSeason]) verdict.by_expert[kSeason] = rarity(kRankSeason);
  verdict.by_expert[kVariance] = rarity(kRankVariance);
  for (std::size_t shape = 0; shape < kShapes; ++shape) {
    if (!statistic[kRankShapes + shape]) continue;
    statistic_[shape] = *statistic[kRankShapes + shape];
    rarity_[shape] = rarity(kRankShapes + shape);
  }
  JudgeShapes(verdict);
}

void AnomalyEnsemble::JudgeShapes(AnomalyVerdict& verdict) {
  // A deviation that is rare and tiny is no matter.
  const auto by_size = [this](Shape shape) {
    const double range = bounds_.range();
    const double size = range > 0.0 ? statistic_[shape] / range : 0.0;
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
  for (std::size_t e = 0; e < kAnomalyExperts; ++e) held[e] = mixture_.Held(e);
  return held;
}

AnomalyEnsemble::Usual AnomalyEnsemble::UsualAt(graph::TimeUs time_us) const {
  return {bounds_.low, bounds_.high, level_.mean(), season_.MeanAt(time_us)};
}

void AnomalyEnsemble::Learn(double value) {
  bounds_.Learn(value);
  level_.Learn(value);
  calm_.Add(calm_now_, kCalmLength);
  season_.Learn(value);
  last_ = value;
  ++count_;
}

}  // namespace weft::operators::sequence
