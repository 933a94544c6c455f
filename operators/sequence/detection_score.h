// How good anomaly scores are against labelled windows: the score of the Numenta Anomaly Benchmark
// (NAB 1.1; Lavin and Ahmad 2015), which rewards the first detection in a window and charges for
// every false one; the F1 of points that are right and windows that are found; and the volume under
// the surface of range precision and recall (VUS-PR; Paparrizos et al. 2022), which looks at the
// ranking alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weft::operators::sequence {

// Records [begin, end) that are anomalous.
struct LabelledWindow {
  std::int64_t begin = 0, end = 0;
};

// One series with a score for each record. Windows are in order and do not overlap.
struct ScoredSeries {
  std::vector<double> score;
  std::vector<LabelledWindow> windows;
  // Records of the beginning that are not scored: 15 in 100, at most 750.
  std::int64_t probation() const;
};

struct NabProfile {
  std::string_view name;
  double true_positive = 1.0, false_positive = 0.11, false_negative = 1.0;
};
inline constexpr std::array<NabProfile, 3> kNabProfiles = {{{"standard", 1.0, 0.11, 1.0},
                                                            {"reward_low_FP", 1.0, 0.22, 1.0},
                                                            {"reward_low_FN", 1.0, 0.11, 2.0}}};

struct NabScore {
  double score = 0.0;      // 100 for perfect detection, 0 for none at all
  double threshold = 0.0;  // a detection is a score of at least this
};
// With the threshold, the same for all series, that gives most.
NabScore BestNabScore(std::span<const ScoredSeries> series, const NabProfile& profile);
// With a threshold that is given.
double NabScoreAt(std::span<const ScoredSeries> series, const NabProfile& profile,
                  double threshold);
// What one of the series adds to the numerator of that, before it is normalised.
double RawNabScoreAt(const ScoredSeries& series, const NabProfile& profile, double threshold);

// The harmonic mean of the share of detections that lie in windows and of the share of windows that
// hold one, with the best threshold for all series together; probation is left out.
double CompositeF1(std::span<const ScoredSeries> series);

// Mean over the series with windows, and over buffers of 0, 1/4 and 1/2 of the mean window around
// the windows; probation is left out.
double VolumeUnderSurface(std::span<const ScoredSeries> series);

}  // namespace weft::operators::sequence
