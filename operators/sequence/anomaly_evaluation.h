// Detectors of anomalies over labelled series, each in one pass, and baselines that know little or
// nothing (`weft eval anomaly`, `weft detect`).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/detection_score.h"

namespace weft::operators::sequence {

enum class DetectorKind : std::uint8_t {
  kWeft,              // AnomalyEnsemble
  kHtm,               // HtmDetector, which is told the range of the series
  kNull,              // never anything
  kRandom,            // anything
  kWindowedGaussian,  // distance from the mean of the latest 6,400, in deviations
  kZScore,            // distance from the mean of all before, in deviations
  kEvery600,          // an alarm every 600 records, blind to the data
};
inline constexpr std::array<DetectorKind, 5> kDetectorBaselines = {
    DetectorKind::kNull, DetectorKind::kRandom, DetectorKind::kWindowedGaussian,
    DetectorKind::kZScore, DetectorKind::kEvery600};
std::string_view NameOf(DetectorKind kind);
std::optional<DetectorKind> DetectorNamed(std::string_view name);

struct NamedSeries {
  std::string name;
  std::vector<graph::TimeUs> time_us;
  std::vector<double> value;  // NaN: missing
  std::vector<LabelledWindow> windows;
};

// Of each record, how unusual it is, and the same thinned to one alarm an event; detectors that do
// not thin give the same twice.
struct DetectorScores {
  std::vector<double> score, alarm;
  std::size_t bytes = 0;      // of the detector's state in the end
  double init_seconds = 0.0;  // of CPU time, to make the detector
};
// `without`: AnomalyExperts that kWeft is to do without.
DetectorScores RunDetector(DetectorKind kind, const NamedSeries& series, std::uint64_t seed,
                           ExpertSet without = {});

struct DetectorFigures {
  std::array<NabScore, kNabProfiles.size()> nab;          // of the alarms
  double standard_at_fixed = 0.0;                         // with the threshold that was given
  double volume_under_surface = 0.0, composite_f1 = 0.0;  // of the scores
};
// The standard profile's score at `fixed_threshold` as well.
DetectorFigures EvaluateDetector(std::span<const NamedSeries> series,
                                 std::span<const DetectorScores> scores, double fixed_threshold);

// Of one series at a threshold.
struct SeriesFigures {
  std::int64_t detected = 0;         // windows
  std::int64_t false_positives = 0;  // alarms outside of windows, probation left out
};
SeriesFigures CountDetections(const NamedSeries& series, std::span<const double> alarm,
                              double threshold);

}  // namespace weft::operators::sequence
