#include "operators/link/link_figures.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::link {
namespace {

// Of the seeds that have it.
template <class Value>
std::optional<double> MeanOfThese(std::span<const SeedFigures> by_seed, const Value& value) {
  double sum = 0.0;
  double count = 0.0;
  for (const SeedFigures& figures : by_seed) {
    const std::optional<double> one = value(figures);
    if (!one) continue;
    sum += *one;
    count += 1.0;
  }
  return count > 0.0 ? std::optional(sum / count) : std::nullopt;
}

std::optional<LinkRanking> MeanRanking(
    std::span<const SeedFigures> by_seed, learn::RankingScore QuestionFigures::*which,
    QuestionFigures SeedFigures::*part = &SeedFigures::questions) {
  using Figure = double learn::RankingScore::*;
  const auto mean = [&](Figure figure) {
    return MeanOfThese(by_seed, [&](const SeedFigures& seed) {
      const learn::RankingScore& score = (seed.*part).*which;
      return score.valid ? std::optional(score.*figure) : std::nullopt;
    });
  };
  const std::optional<double> ap = mean(&learn::RankingScore::average_precision);
  const std::optional<double> auc = mean(&learn::RankingScore::area_under_curve);
  return ap ? std::optional(LinkRanking{*ap, *auc}) : std::nullopt;
}

std::optional<CoverageFigures> MeanCoverage(std::span<const SeedFigures> by_seed) {
  CoverageFigures mean;
  for (const SeedFigures& seed : by_seed) {
    const CoverageFigures one = seed.questions.coverage.value_or(CoverageFigures{});
    mean.events += one.events;
    mean.held += one.held * static_cast<double>(one.events);
    mean.set_size += one.set_size * static_cast<double>(one.events);
  }
  if (mean.events == 0) return std::nullopt;
  mean.held /= static_cast<double>(mean.events);
  mean.set_size /= static_cast<double>(mean.events);
  return mean;
}

// Bin by bin; all seeds score the same events.
std::vector<learn::ReliabilityBin> MeanReliability(std::span<const SeedFigures> by_seed) {
  std::vector<learn::ReliabilityBin> mean;
  const auto count = static_cast<double>(by_seed.size());
  for (const SeedFigures& seed : by_seed) {
    mean.resize(std::max(mean.size(), seed.reliability.size()));
    for (std::size_t i = 0; i < seed.reliability.size(); ++i) {
      const learn::ReliabilityBin& bin = seed.reliability[i];
      mean[i].count += bin.count;
      mean[i].probability += bin.probability / count;
      mean[i].happened += bin.happened / count;
    }
  }
  return mean;
}

}  // namespace

SeedFigures FiguresOf(const PartScores& scores, bool probabilities) {
  SeedFigures figures;
  figures.whole = learn::RankingOf(scores.positive, scores.negative);
  learn::BatchMean mean;
  std::size_t begin = 0;
  for (const std::size_t end : scores.batch_end) {
    mean.Add(learn::RankingOf(std::span(scores.positive).subspan(begin, end - begin),
                              std::span(scores.negative).subspan(begin, end - begin)));
    begin = end;
  }
  figures.batch_mean = mean.mean();
  if (probabilities && figures.whole.valid)
    figures.reliability =
        learn::Reliability(scores.positive_probability, scores.negative_probability);
  return figures;
}

LinkFigures MeanOf(std::span<const SeedFigures> by_seed) {
  LinkFigures summary;
  const auto count = static_cast<double>(by_seed.size());
  for (const SeedFigures& figures : by_seed) {
    summary.valid = figures.whole.valid;
    summary.has_batches = figures.batch_mean.valid;
    summary.ap += figures.whole.average_precision / count;
    summary.ap_batch_mean += figures.batch_mean.average_precision / count;
    summary.auc += figures.whole.area_under_curve / count;
    summary.ap_by_seed.push_back(figures.whole.average_precision);
  }
  double squares = 0.0;
  for (const double ap : summary.ap_by_seed) squares += (ap - summary.ap) * (ap - summary.ap);
  if (by_seed.size() > 1) summary.ap_stddev = std::sqrt(squares / (count - 1.0));
  summary.seen = MeanRanking(by_seed, &QuestionFigures::seen);
  summary.historical = MeanRanking(by_seed, &QuestionFigures::historical);
  summary.first_random = MeanRanking(by_seed, &QuestionFigures::random, &SeedFigures::first);
  summary.first_seen = MeanRanking(by_seed, &QuestionFigures::seen, &SeedFigures::first);
  summary.first_historical =
      MeanRanking(by_seed, &QuestionFigures::historical, &SeedFigures::first);
  summary.mean_reciprocal_rank = MeanOfThese(
      by_seed, [](const SeedFigures& seed) { return seed.questions.mean_reciprocal_rank; });
  summary.coverage = MeanCoverage(by_seed);
  summary.calibration_error = MeanOfThese(by_seed, [](const SeedFigures& seed) {
    return seed.reliability.empty() ? std::nullopt
                                    : std::optional(learn::CalibrationError(seed.reliability));
  });
  summary.reliability = MeanReliability(by_seed);
  return summary;
}

}  // namespace weft::operators::link
