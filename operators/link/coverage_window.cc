#include "operators/link/coverage_window.h"

#include <algorithm>
#include <cmath>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

constexpr double kRate = 0.02;  // of the level

// The largest threshold that leaves at most so many of the past scores out that the next one is
// left out with a probability of 1 - level at most.
float ThresholdOf(const std::vector<float>& sorted, double level) {
  const double left_out = std::floor(static_cast<double>(sorted.size() + 1) * (1.0 - level) + 1e-9);
  if (left_out < 1.0) return CoverageEstimate::kNoThreshold;
  return sorted[std::min(static_cast<std::size_t>(left_out), sorted.size()) - 1];
}

}  // namespace

void CoverageWindow::Add(float score) {
  if (size() < 2 * kScores) {
    ring_.push_back(score);
    return;
  }
  ring_[next_] = score;
  next_ = (next_ + 1) % ring_.size();
}

CoverageEstimate CoverageWindow::At(double coverage) const {
  CoverageEstimate estimate{.coverage = coverage};
  double level = coverage;
  std::int64_t held = 0;
  const std::size_t count = ring_.size();
  // The first half is only looked back at, as long as there is as much.
  const std::size_t first = std::min<std::size_t>(count / 2, kScores);
  const auto at = [this, count](std::size_t i) { return ring_[(next_ + i) % count]; };
  std::vector<float> past;
  for (std::size_t i = 0; i < first; ++i) past.push_back(at(i));
  std::sort(past.begin(), past.end());
  for (std::size_t i = first; i < count; ++i) {
    const float score = at(i);
    const bool in_set = score >= ThresholdOf(past, level);
    held += in_set ? 1 : 0;
    level = std::clamp(level + kRate * (coverage - (in_set ? 1.0 : 0.0)), 0.0, 1.0);
    if (i >= kScores) past.erase(std::lower_bound(past.begin(), past.end(), at(i - kScores)));
    past.insert(std::upper_bound(past.begin(), past.end(), score), score);
  }
  estimate.events = static_cast<std::int64_t>(count - first);
  if (estimate.events > 0)
    estimate.held = static_cast<double>(held) / static_cast<double>(estimate.events);
  if (!past.empty()) estimate.threshold = ThresholdOf(past, level);
  return estimate;
}

absl::Status CoverageWindow::Save(std::string_view section, graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue(section, next_, sink));
  return WriteArray(section, std::span<const float>(ring_), sink);
}

absl::Status CoverageWindow::Load(std::string_view section, graph::CheckpointSource& source) {
  *this = {};
  std::uint64_t next = 0;
  std::vector<float> ring;
  WEFT_TRY(ReadValue(section, next, source));
  WEFT_TRY(ReadArray(section, 2 * kScores, ring, source));
  const bool full = ring.size() == 2 * kScores;
  if (full ? next >= ring.size() : next != 0)
    return absl::DataLossError(graph::Concat("section ", section, ": expected the place of one of ",
                                             ring.size(), " scores, got ", next));
  ring_ = std::move(ring);
  next_ = next;
  return absl::OkStatus();
}

}  // namespace weft::operators::link
