#include "operators/learn/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "gpu/elementary.h"

namespace weft::operators::learn {

RankingScore RankingOf(std::span<const float> positive, std::span<const float> negative) {
  if (positive.empty() || negative.empty()) return {};
  std::vector<float> positives(positive.begin(), positive.end());
  std::vector<float> negatives(negative.begin(), negative.end());
  std::sort(positives.begin(), positives.end(), std::greater<>());
  std::sort(negatives.begin(), negatives.end(), std::greater<>());
  const auto positive_count = static_cast<double>(positives.size());
  const auto negative_count = static_cast<double>(negatives.size());
  RankingScore result{.valid = true};
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < positives.size()) {
    // One threshold: everything that scores as the next positive does, and the negatives above it.
    const float threshold = positives[i];
    std::size_t positives_here = 0;
    while (i < positives.size() && positives[i] == threshold) ++i, ++positives_here;
    while (j < negatives.size() && negatives[j] > threshold) ++j;
    const std::size_t negatives_above = j;
    std::size_t negatives_here = 0;
    while (j < negatives.size() && negatives[j] == threshold) ++j, ++negatives_here;
    const double precision = static_cast<double>(i) / static_cast<double>(i + j);
    const auto weight = static_cast<double>(positives_here);
    result.average_precision += weight / positive_count * precision;
    const double beaten = negative_count - static_cast<double>(negatives_above) -
                          0.5 * static_cast<double>(negatives_here);
    result.area_under_curve += weight * beaten / (positive_count * negative_count);
  }
  return result;
}

double MeanRank(float positive, std::span<const float> others) {
  double rank = 1.0;
  for (const float other : others) rank += other > positive ? 1.0 : other == positive ? 0.5 : 0.0;
  return rank;
}

std::vector<ReliabilityBin> Reliability(std::span<const float> positive,
                                        std::span<const float> negative, std::int64_t bins) {
  struct Scored {
    float score;
    double rate;  // of positives among equal scores
  };
  std::vector<Scored> all;
  for (const float score : positive) all.push_back({score, 1.0});
  for (const float score : negative) all.push_back({score, 0.0});
  std::sort(all.begin(), all.end(),
            [](const Scored& one, const Scored& other) { return one.score < other.score; });
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    double positives = 0.0;
    for (; end < all.size() && all[end].score == all[begin].score; ++end)
      positives += all[end].rate;
    for (std::size_t i = begin; i < end; ++i)
      all[i].rate = positives / static_cast<double>(end - begin);
  }
  std::vector<ReliabilityBin> result;
  const auto bin_count = static_cast<std::size_t>(bins);
  for (std::size_t bin = 0; bin < bin_count; ++bin) {
    const std::size_t begin = all.size() * bin / bin_count;
    const std::size_t end = all.size() * (bin + 1) / bin_count;
    if (begin == end) continue;
    ReliabilityBin sum{.count = static_cast<std::int64_t>(end - begin)};
    for (std::size_t i = begin; i < end; ++i) {
      sum.probability += static_cast<double>(all[i].score);
      sum.happened += all[i].rate;
    }
    sum.probability /= static_cast<double>(sum.count);
    sum.happened /= static_cast<double>(sum.count);
    result.push_back(sum);
  }
  return result;
}

double CalibrationError(std::span<const ReliabilityBin> bins) {
  double error = 0.0;
  double count = 0.0;
  for (const ReliabilityBin& bin : bins) {
    error += static_cast<double>(bin.count) * std::abs(bin.probability - bin.happened);
    count += static_cast<double>(bin.count);
  }
  return count > 0.0 ? error / count : 0.0;
}

void BatchMean::Add(const RankingScore& batch) {
  if (!batch.valid) return;
  average_precision_sum_ += batch.average_precision;
  area_under_curve_sum_ += batch.area_under_curve;
  ++count_;
}

RankingScore BatchMean::mean() const {
  if (count_ == 0) return {};
  const auto count = static_cast<double>(count_);
  return {.average_precision = average_precision_sum_ / count,
          .area_under_curve = area_under_curve_sum_ / count,
          .valid = true};
}

RankingWindow::RankingWindow(std::int64_t capacity) : capacity_(capacity) {
  positive_.reserve(static_cast<std::size_t>(capacity));
  negative_.reserve(static_cast<std::size_t>(capacity));
}

void RankingWindow::Add(float positive, float negative) {
  if (size() < capacity_) {
    positive_.push_back(positive);
    negative_.push_back(negative);
  } else {
    const auto place = static_cast<std::size_t>(added_ % capacity_);
    positive_[place] = positive;
    negative_[place] = negative;
  }
  ++added_;
}

RankingScore RankingWindow::Ranking() const { return RankingOf(positive_, negative_); }

double RankingWindow::LogLoss() const {
  if (positive_.empty()) return 0.0;
  const auto cut = [](float score) { return std::clamp(score, 1e-6f, 1.0f - 1e-6f); };
  double sum = 0.0;
  for (const float score : positive_) sum -= static_cast<double>(gpu::Log(cut(score)));
  for (const float score : negative_) sum -= static_cast<double>(gpu::Log(1.0f - cut(score)));
  return sum / static_cast<double>(2 * size());
}

bool RankingWindow::Restore(std::vector<float> positive, std::vector<float> negative,
                            std::int64_t added) {
  const auto count = static_cast<std::int64_t>(positive.size());
  if (positive.size() != negative.size() || count > capacity_ || added < count) return false;
  if (count < capacity_ && added != count) return false;
  positive_ = std::move(positive);
  negative_ = std::move(negative);
  added_ = added;
  return true;
}

void RankWindow::Add(float rank) {
  if (size() < capacity_) {
    ranks_.push_back(rank);
  } else {
    ranks_[static_cast<std::size_t>(added_ % capacity_)] = rank;
  }
  ++added_;
}

double RankWindow::MeanReciprocalRank() const {
  if (ranks_.empty()) return 0.0;
  double sum = 0.0;
  for (const float rank : ranks_) sum += 1.0 / static_cast<double>(rank);
  return sum / static_cast<double>(size());
}

bool RankWindow::Restore(std::vector<float> ranks, std::int64_t added) {
  const auto count = static_cast<std::int64_t>(ranks.size());
  if (count > capacity_ || added < count || (count < capacity_ && added != count)) return false;
  const bool possible = std::ranges::all_of(ranks, [](float rank) { return rank >= 1.0f; });
  if (!possible) return false;
  ranks_ = std::move(ranks);
  added_ = added;
  return true;
}

}  // namespace weft::operators::learn
