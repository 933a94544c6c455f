// AnomalyEnsemble: how unusual each record of a series of numbers is, by several experts who know
// nothing but its past. One pass, one set of constants for every series, nothing to train.
//
// Each expert's statistic is computed from the state before the record, ranked against its own
// past, held for some records and mixed with the others. Two outputs: the score, for ranking, and
// sparse alarms, one peak an event.
//
// Source: our own mix; discords: Keogh, Lin, Fu 2005; burst likelihood: Lavin and Ahmad 2015. How
// it was found and what each part is worth: docs/sequence.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/burst_likelihood.h"
#include "operators/sequence/discord.h"
#include "operators/sequence/expert_set.h"
#include "operators/sequence/fading_mean.h"
#include "operators/sequence/level_distance.h"
#include "operators/sequence/peak_alarm.h"
#include "operators/sequence/rank_calibration.h"
#include "operators/sequence/rarity_mixture.h"
#include "operators/sequence/seasonal_distance.h"
#include "operators/sequence/series_bounds.h"

namespace weft::operators::sequence {

enum AnomalyExpert : std::size_t {
  kRange,      // outside of what was seen
  kLevel,      // far from the recent mean
  kSeason,     // far from the mean of this part of the season
  kVariance,   // calmer or wilder than usual
  kShape3,     // a new shape, blocks of 3 records
  kShape18,    // blocks of 18
  kExtremes3,  // of the extremes of blocks of 3
  kZone2,      // the same with a dead zone, blocks of 2
  kZone5,      // blocks of 5
  kBurst1,     // new shapes for a while, blocks of 1
  kBurstExtremes3,
  kBurstZone2,
  kBurstZone5,
  kAnomalyExperts,
};
std::string_view NameOf(AnomalyExpert expert);

struct AnomalyVerdict {
  double score = 0.0;  // how unusual, 0 to 1
  double alarm = 0.0;  // the score where it peaks anew, else 0; kAlarm or more is worth a look
  // What each expert says of this record: -log10 of how seldom, 0 to 8.
  std::array<double, kAnomalyExperts> by_expert = {};
};

// Thread-compatible. Exact.
class AnomalyEnsemble {
 public:
  // A score worth a look, and up to which none is an alarm at all.
  static constexpr double kAlarm = 1.4 / RankCalibration::kMost;
  static constexpr double kLeastAlarm = 0.5 / RankCalibration::kMost;

  // Without some experts, to see what they are worth.
  explicit AnomalyEnsemble(ExpertSet without = {});

  // The next record. A value that is not a number is missing: the one before stands in for it.
  AnomalyVerdict Next(graph::TimeUs time_us, double value);

  std::int64_t record_count() const { return count_; }
  // What each expert holds to: the largest of the latest records that count.
  std::array<double, kAnomalyExperts> Held() const;
  // What is usual; season_mean is NaN before this part of the season was seen.
  struct Usual {
    double least = 0.0, most = 0.0, recent_mean = 0.0, season_mean = 0.0;
  };
  Usual UsualAt(graph::TimeUs time_us) const;
  // The stretch of the past whose shape is nearest to the latest records.
  std::optional<AlikeMoment> NearestShape() const { return shapes_[kBlocks1].NearestMoment(); }
  const SeasonFinder& season_finder() const { return season_.finder(); }
  std::size_t bytes() const;

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Value(self.last_);
    archive.Value(self.bounds_);
    LevelDistance::VisitState(self.level_, archive);
    archive.Value(self.calm_);
    archive.Array(self.latest_, kVarianceWindow);
    SeasonalDistance::VisitState(self.season_, archive);
    for (auto& shape : self.shapes_) Discord::VisitState(shape, archive);
    for (auto& ranks : self.ranks_) RankCalibration::VisitState(ranks, archive);
    for (auto& burst : self.bursts_) BurstLikelihood::VisitState(burst, archive);
    archive.Value(self.rarity_);
    archive.Value(self.statistic_);
    RarityMixture::VisitState(self.mixture_, archive);
    PeakAlarm::VisitState(self.alarm_, archive);
  }

 private:
  static constexpr std::int64_t kVarianceWindow = 24;

  // Shapes, and experts that are ranked.
  enum Shape : std::size_t { kBlocks1, kBlocks3, kBlocks18, kEx3, kAr2, kAr5, kShapes };
  enum Ranked : std::size_t { kRankLevel, kRankSeason, kRankVariance, kRankShapes };
  static constexpr std::size_t kRanks = std::size_t{kRankShapes} + std::size_t{kShapes};

  void Judge(double value, AnomalyVerdict& verdict);
  void JudgeShapes(AnomalyVerdict& verdict);
  double OutsideRange(double value) const;
  double Variance(double value);
  void Learn(double value);
  void Forget();

  std::int64_t count_ = 0;
  double last_ = 0.0;
  SeriesBounds bounds_;
  LevelDistance level_;
  FadingMean calm_;  // of the logarithm of the variance
  double calm_now_ = 0.0;
  std::vector<double> latest_;  // a ring
  SeasonalDistance season_;
  std::vector<Discord> shapes_;
  std::vector<RankCalibration> ranks_;
  std::array<BurstLikelihood, 4> bursts_;
  // Of each shape, between its blocks.
  std::array<double, kShapes> rarity_ = {}, statistic_ = {};
  RarityMixture mixture_;
  PeakAlarm alarm_{kLeastAlarm};
};

}  // namespace weft::operators::sequence
