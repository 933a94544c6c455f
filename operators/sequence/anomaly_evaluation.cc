#include "operators/sequence/anomaly_evaluation.h"

#include <algorithm>
#include <cmath>

#include "gpu/host_device.h"
#include "operators/learn/process_cost.h"
#include "operators/sequence/htm_detector.h"
#include "operators/sequence/normal_tail.h"

namespace weft::operators::sequence {
namespace {

DetectorScores RunWeft(const NamedSeries& series, ExpertSet without) {
  DetectorScores scores;
  const double begin = learn::ProcessCpuSeconds();
  AnomalyEnsemble ensemble(without);
  scores.init_seconds = learn::ProcessCpuSeconds() - begin;
  for (std::size_t i = 0; i < series.value.size(); ++i) {
    const AnomalyVerdict verdict = ensemble.Next(series.time_us[i], series.value[i]);
    scores.score.push_back(verdict.score);
    scores.alarm.push_back(verdict.alarm);
  }
  scores.bytes = ensemble.bytes();
  return scores;
}

DetectorScores RunHtm(const NamedSeries& series, std::uint64_t seed) {
  HtmDetectorOptions options;
  options.seed = seed;
  bool any = false;
  auto& [kind, least, most] = options.fields.front();
  for (const double value : series.value) {
    if (!std::isfinite(value)) continue;
    least = any ? std::min(least, value) : value;
    most = any ? std::max(most, value) : value;
    any = true;
  }
  ScoredSeries probation;
  probation.score.resize(series.value.size());
  options.learning = probation.probation();
  DetectorScores scores;
  const double begin = learn::ProcessCpuSeconds();
  HtmDetector detector(options);
  scores.init_seconds = learn::ProcessCpuSeconds() - begin;
  for (std::size_t i = 0; i < series.value.size(); ++i) {
    const HtmVerdict verdict = detector.Next(series.time_us[i], std::span(&series.value[i], 1));
    scores.score.push_back(verdict.score);
    scores.alarm.push_back(verdict.alarm);
  }
  scores.bytes = detector.bytes();
  return scores;
}

// How far each value is from those before it, in deviations.
std::vector<double> ZScores(const NamedSeries& series) {
  std::vector<double> scores;
  double count = 0.0, mean = 0.0, squares = 0.0;
  for (const double value : series.value) {
    const double deviation = count > 1.0 ? std::sqrt(squares / count) : 0.0;
    const bool is_number = std::isfinite(value);
    scores.push_back(is_number && deviation > 0.0 ? std::abs(value - mean) / deviation : 0.0);
    if (!is_number) continue;
    count += 1.0;
    const double distance = value - mean;
    mean += distance / count;
    squares += distance * (value - mean);
  }
  return scores;
}

// As NAB's: the window moves on by 100 records at a time.
std::vector<double> WindowedGaussian(const NamedSeries& series) {
  constexpr std::size_t kWindow = 6400, kStep = 100;
  std::vector<double> scores, window, waiting;
  double mean = 0.0, deviation = 1.0;
  const auto fit = [&] {
    mean = 0.0;
    for (const double one : window) mean += one / static_cast<double>(window.size());
    double squares = 0.0;
    for (const double one : window) squares += (one - mean) * (one - mean);
    deviation = std::sqrt(squares / static_cast<double>(window.size()));
    if (deviation == 0.0) deviation = 1e-6;
  };
  for (const double value : series.value) {
    if (!std::isfinite(value)) {
      scores.push_back(0.0);
      continue;
    }
    scores.push_back(window.empty() ? 0.0 : NormalTailLog10(std::abs(value - mean) / deviation));
    if (window.size() < kWindow) {
      window.push_back(value);
      fit();
      continue;
    }
    waiting.push_back(value);
    if (waiting.size() < kStep) continue;
    window.erase(window.begin(), window.begin() + kStep);
    window.insert(window.end(), waiting.begin(), waiting.end());
    waiting.clear();
    fit();
  }
  return scores;
}

}  // namespace

std::string_view NameOf(DetectorKind kind) {
  switch (kind) {
    case DetectorKind::kWeft:
      return "weft";
    case DetectorKind::kHtm:
      return "htm";
    case DetectorKind::kNull:
      return "null";
    case DetectorKind::kRandom:
      return "random";
    case DetectorKind::kWindowedGaussian:
      return "windowed_gaussian";
    case DetectorKind::kZScore:
      return "zscore";
    case DetectorKind::kEvery600:
      return "every_600";
  }
  return "";
}

std::optional<DetectorKind> DetectorNamed(std::string_view name) {
  for (const DetectorKind kind : {DetectorKind::kWeft, DetectorKind::kHtm})
    if (NameOf(kind) == name) return kind;
  for (const DetectorKind kind : kDetectorBaselines)
    if (NameOf(kind) == name) return kind;
  return std::nullopt;
}

DetectorScores RunDetector(DetectorKind kind, const NamedSeries& series, std::uint64_t seed,
                           ExpertSet without) {
  if (kind == DetectorKind::kWeft) return RunWeft(series, without);
  if (kind == DetectorKind::kHtm) return RunHtm(series, seed);
  const std::size_t count = series.value.size();
  DetectorScores scores;
  scores.score.resize(count);
  if (kind == DetectorKind::kZScore) scores.score = ZScores(series);
  if (kind == DetectorKind::kWindowedGaussian) scores.score = WindowedGaussian(series);
  for (std::size_t i = 0; i < count; ++i) {
    if (kind == DetectorKind::kRandom)
      scores.score[i] = static_cast<double>(gpu::UnitFloat(gpu::CounterHash(seed, i, count)));
    if (kind == DetectorKind::kEvery600 && i % 600 == 599) scores.score[i] = 1.0;
  }
  scores.alarm = scores.score;
  return scores;
}

DetectorFigures EvaluateDetector(std::span<const NamedSeries> series,
                                 std::span<const DetectorScores> scores, double fixed_threshold) {
  std::vector<ScoredSeries> continuous, alarms;
  for (std::size_t i = 0; i < series.size(); ++i) {
    continuous.push_back({scores[i].score, series[i].windows});
    alarms.push_back({scores[i].alarm, series[i].windows});
  }
  DetectorFigures figures;
  for (std::size_t p = 0; p < kNabProfiles.size(); ++p)
    figures.nab[p] = BestNabScore(alarms, kNabProfiles[p]);
  figures.standard_at_fixed = NabScoreAt(alarms, kNabProfiles[0], fixed_threshold);
  figures.volume_under_surface = VolumeUnderSurface(continuous);
  figures.composite_f1 = CompositeF1(continuous);
  return figures;
}

SeriesFigures CountDetections(const NamedSeries& series, std::span<const double> alarm,
                              double threshold) {
  ScoredSeries scored;
  scored.score.assign(alarm.begin(), alarm.end());
  SeriesFigures figures;
  std::vector<bool> found(series.windows.size());
  for (std::int64_t i = scored.probation(); i < static_cast<std::int64_t>(alarm.size()); ++i) {
    if (alarm[static_cast<std::size_t>(i)] < threshold) continue;
    bool inside = false;
    for (std::size_t w = 0; w < series.windows.size(); ++w) {
      if (i < series.windows[w].begin || i >= series.windows[w].end) continue;
      inside = true;
      found[w] = true;
    }
    figures.false_positives += inside ? 0 : 1;
  }
  figures.detected = std::ranges::count(found, true);
  return figures;
}

}  // namespace weft::operators::sequence
