#include "operators/sequence/detection_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace weft::operators::sequence {
namespace {

// What a detection at a place is worth: nearly 1 where a window begins, 0 where it ends, less and
// less behind it.
double ScaledSigmoid(double place) {
  return place > 3.0 ? -1.0 : 2.0 / (1.0 + std::exp(5.0 * place)) - 1.0;
}

// The most that a detection in a window is worth.
const double kMostWorth = ScaledSigmoid(-1.0);

// A record that may be detected.
struct Candidate {
  double score = 0.0;
  std::int64_t window = -1;  // of all series; -1: outside
  double worth = 0.0;
};

void AddCandidates(const ScoredSeries& series, std::int64_t first_window,
                   std::vector<Candidate>& candidates) {
  const auto count = static_cast<std::int64_t>(series.score.size());
  std::size_t next = 0;  // window that is not over
  for (std::int64_t i = 0; i < count; ++i) {
    while (next < series.windows.size() && i >= series.windows[next].end) ++next;
    if (i < series.probation()) continue;
    Candidate candidate;
    candidate.score = series.score[static_cast<std::size_t>(i)];
    if (next < series.windows.size() && i >= series.windows[next].begin) {
      const LabelledWindow& window = series.windows[next];
      const auto width = static_cast<double>(window.end - window.begin);
      candidate.window = first_window + static_cast<std::int64_t>(next);
      candidate.worth = ScaledSigmoid(-static_cast<double>(window.end - i) / width) / kMostWorth;
    } else if (next == 0) {
      candidate.worth = -1.0;
    } else {
      const LabelledWindow& before = series.windows[next - 1];
      const auto behind = static_cast<double>(i - (before.end - 1));
      candidate.worth =
          ScaledSigmoid(behind / std::max(1.0, static_cast<double>(before.end - before.begin - 1)));
    }
    candidates.push_back(candidate);
  }
}

struct Corpus {
  explicit Corpus(std::span<const ScoredSeries> series) {
    for (const ScoredSeries& one : series) {
      AddCandidates(one, windows, candidates);
      windows += static_cast<std::int64_t>(one.windows.size());
    }
    std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::score);
  }
  std::vector<Candidate> candidates;  // the highest scores first
  std::int64_t windows = 0;
};

double Normalized(double raw, const NabProfile& profile, std::int64_t windows) {
  if (windows == 0) return 0.0;
  const double nothing = -profile.false_negative * static_cast<double>(windows);
  return 100.0 * (raw - nothing) / (static_cast<double>(windows) * profile.true_positive - nothing);
}

// Lowers the threshold from above all scores, and calls visit(threshold, raw) wherever it can lie.
template <class Visit>
void Sweep(const Corpus& corpus, const NabProfile& profile, Visit visit) {
  std::vector<double> found(static_cast<std::size_t>(corpus.windows), -1.0);
  double raw = -profile.false_negative * static_cast<double>(corpus.windows);
  visit(std::numeric_limits<double>::infinity(), raw);
  for (std::size_t i = 0; i < corpus.candidates.size(); ++i) {
    const Candidate& one = corpus.candidates[i];
    if (one.window < 0) {
      raw += profile.false_positive * one.worth;
    } else {
      double& best = found[static_cast<std::size_t>(one.window)];
      if (best < 0.0) {
        raw += profile.false_negative + profile.true_positive * one.worth;
        best = one.worth;
      } else if (one.worth > best) {
        raw += profile.true_positive * (one.worth - best);
        best = one.worth;
      }
    }
    if (i + 1 == corpus.candidates.size() || corpus.candidates[i + 1].score < one.score)
      visit(one.score, raw);
  }
}

// ------------------------------------------------------------------------------------------------
// VUS-PR, as the authors' program has it

using Ranges = std::vector<LabelledWindow>;

// 1 in windows, falling to 0 within a buffer around them.
std::vector<double> Softened(const Ranges& windows, std::int64_t count, std::int64_t buffer) {
  std::vector<double> label(static_cast<std::size_t>(count));
  const auto raise = [&](std::int64_t i, double by) {
    if (i < 0 || i >= count) return;
    double& at = label[static_cast<std::size_t>(i)];
    at = std::min(1.0, at + by);
  };
  for (const LabelledWindow& window : windows) {
    for (std::int64_t i = window.begin; i < window.end; ++i) raise(i, 1.0);
    for (std::int64_t off = 1; off < buffer; ++off) {
      const double by = std::sqrt(1.0 - static_cast<double>(off) / static_cast<double>(buffer));
      raise(window.begin - off, by);
      raise(window.end - 1 + off, by);
    }
  }
  return label;
}

// Stretches where the label is above 0.
Ranges Stretches(std::span<const double> label) {
  Ranges stretches;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(label.size()); ++i) {
    if (label[static_cast<std::size_t>(i)] <= 0.0) continue;
    if (stretches.empty() || stretches.back().end != i) stretches.push_back({i, i});
    stretches.back().end = i + 1;
  }
  return stretches;
}

// Area under range precision over range recall.
double RangeArea(std::span<const double> score, const Ranges& windows, std::int64_t buffer) {
  constexpr std::int64_t kThresholds = 250;
  const auto count = static_cast<std::int64_t>(score.size());
  const std::vector<double> label = Softened(windows, count, buffer);
  const Ranges stretches = Stretches(label);
  double labelled = 0.0, softened = 0.0;
  for (const LabelledWindow& window : windows)
    labelled += static_cast<double>(window.end - window.begin);
  for (const double one : label) softened += one;
  std::vector<std::pair<double, std::int64_t>> order;
  for (std::int64_t i = 0; i < count; ++i)
    order.emplace_back(-score[static_cast<std::size_t>(i)], i);
  std::ranges::sort(order);
  std::vector<std::int64_t> stretch_of(static_cast<std::size_t>(count), -1);
  for (std::size_t s = 0; s < stretches.size(); ++s)
    for (std::int64_t i = stretches[s].begin; i < stretches[s].end; ++i)
      stretch_of[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(s);
  std::vector<bool> touched(stretches.size());
  double hits = 0.0, existing = 0.0, area = 0.0, recall_before = 0.0;
  std::size_t taken = 0;
  for (std::int64_t t = 0; t < kThresholds; ++t) {
    const auto place = static_cast<std::size_t>(static_cast<double>(count - 1) *
                                                static_cast<double>(t) / (kThresholds - 1));
    const double threshold = order[place].first;
    for (; taken < order.size() && order[taken].first <= threshold; ++taken) {
      const auto at = static_cast<std::size_t>(order[taken].second);
      hits += label[at];
      if (stretch_of[at] < 0 || touched[static_cast<std::size_t>(stretch_of[at])]) continue;
      touched[static_cast<std::size_t>(stretch_of[at])] = true;
      existing += 1.0;
    }
    const double recall = std::min(hits / ((labelled + softened) / 2.0), 1.0) * existing /
                          static_cast<double>(stretches.size());
    area += (recall - recall_before) * hits / static_cast<double>(taken);
    recall_before = recall;
  }
  return area;
}

}  // namespace

std::int64_t ScoredSeries::probation() const {
  constexpr std::int64_t kMost = 750;
  return std::min(static_cast<std::int64_t>(0.15 * static_cast<double>(score.size())), kMost);
}

NabScore BestNabScore(std::span<const ScoredSeries> series, const NabProfile& profile) {
  const Corpus corpus(series);
  NabScore best = {-std::numeric_limits<double>::infinity(), 0.0};
  Sweep(corpus, profile, [&](double threshold, double raw) {
    const double score = Normalized(raw, profile, corpus.windows);
    if (score > best.score) best = {score, threshold};
  });
  return best;
}

double RawNabScoreAt(const ScoredSeries& series, const NabProfile& profile, double threshold) {
  double at = 0.0;
  Sweep(Corpus(std::span(&series, 1)), profile, [&](double reached, double raw) {
    if (reached >= threshold) at = raw;
  });
  return at;
}

double NabScoreAt(std::span<const ScoredSeries> series, const NabProfile& profile,
                  double threshold) {
  double raw = 0.0;
  std::int64_t windows = 0;
  for (const ScoredSeries& one : series) {
    raw += RawNabScoreAt(one, profile, threshold);
    windows += static_cast<std::int64_t>(one.windows.size());
  }
  return Normalized(raw, profile, windows);
}

double CompositeF1(std::span<const ScoredSeries> series) {
  const Corpus corpus(series);
  std::vector<bool> found(static_cast<std::size_t>(corpus.windows));
  double inside = 0.0, all = 0.0, windows = 0.0, best = 0.0;
  for (std::size_t i = 0; i < corpus.candidates.size(); ++i) {
    const Candidate& one = corpus.candidates[i];
    all += 1.0;
    if (one.window >= 0) {
      inside += 1.0;
      if (!found[static_cast<std::size_t>(one.window)]) windows += 1.0;
      found[static_cast<std::size_t>(one.window)] = true;
    }
    if (i + 1 < corpus.candidates.size() && corpus.candidates[i + 1].score == one.score) continue;
    // A detector that says nothing says 0.
    if (one.score <= 0.0) break;
    const double precision = inside / all;
    const double recall = windows / static_cast<double>(corpus.windows);
    if (inside > 0.0) best = std::max(best, 2.0 * precision * recall / (precision + recall));
  }
  return best;
}

double VolumeUnderSurface(std::span<const ScoredSeries> series) {
  double sum = 0.0;
  std::int64_t count = 0;
  for (const ScoredSeries& one : series) {
    const std::int64_t probation = one.probation();
    Ranges windows;
    double width = 0.0;
    for (const LabelledWindow& window : one.windows) {
      const std::int64_t begin = std::max<std::int64_t>(window.begin - probation, 0);
      if (window.end <= probation) continue;
      windows.push_back({begin, window.end - probation});
      width += static_cast<double>(window.end - probation - begin);
    }
    if (windows.empty()) continue;
    width /= static_cast<double>(windows.size());
    const auto scored = std::span(one.score).subspan(static_cast<std::size_t>(probation));
    for (const double part : {0.0, 0.25, 0.5})
      sum += RangeArea(scored, windows, static_cast<std::int64_t>(part * width)) / 3.0;
    ++count;
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

}  // namespace weft::operators::sequence
