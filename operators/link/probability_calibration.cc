#include "operators/link/probability_calibration.h"

#include <algorithm>
#include <cmath>

#include "gpu/elementary.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

using Calibration = ProbabilityCalibration;

// Of the log-odds against the logit, at least.
constexpr float kLeastSlope = 0.3f;

constexpr float CentreOf(std::int64_t bin) {
  return Calibration::kFirst + Calibration::kWidth * (static_cast<float>(bin) + 0.5f);
}

std::size_t BinOf(float logit) {
  const float place = (logit - Calibration::kFirst) / Calibration::kWidth;
  const float last = static_cast<float>(Calibration::kBins - 1);
  return static_cast<std::size_t>(std::clamp(place, 0.0f, last));
}

// Bins that were pooled.
struct Pool {
  double pairs;
  double happened;
  std::int64_t end;
};

}  // namespace

ProbabilityCalibration::ProbabilityCalibration() { Fit(); }

float ProbabilityCalibration::Probability(float logit) const {
  const float place = (logit - CentreOf(0)) / kWidth;
  constexpr auto kLast = static_cast<float>(kBins - 1);
  if (!(place > 0.0f)) return gpu::Sigmoid(state_.log_odds.front() + (logit - CentreOf(0)));
  if (place >= kLast) return gpu::Sigmoid(state_.log_odds.back() + (logit - CentreOf(kBins - 1)));
  const auto bin = static_cast<std::size_t>(place);
  const float share = place - static_cast<float>(bin);
  return gpu::Sigmoid(
      gpu::Fma(share, state_.log_odds[bin + 1] - state_.log_odds[bin], state_.log_odds[bin]));
}

void ProbabilityCalibration::Add(float logit, bool happened) {
  Bin& bin = state_.added[BinOf(logit)];
  bin.pairs += 1.0;
  bin.happened += happened ? 1.0 : 0.0;
  state_.added_pairs += 1.0;
  if (state_.added_pairs < kFoldPairs) return;
  constexpr double kKept = kMemory / (kMemory + kFoldPairs);
  for (std::size_t i = 0; i < kBins; ++i) {
    Bin& faded = state_.bins[i];
    const Bin& added = state_.added[i];
    faded = {faded.pairs * kKept + added.pairs, faded.happened * kKept + added.happened};
  }
  state_.added = {};
  state_.added_pairs = 0.0;
  state_.published = 0;
}

void ProbabilityCalibration::Publish() {
  if (state_.published == 0) Fit();
}

void ProbabilityCalibration::Fit() {
  std::array<Pool, kBins> pools;
  std::size_t count = 0;
  constexpr double kPriorOfBin = kPrior / static_cast<double>(kBins);
  for (std::int64_t i = 0; i < kBins; ++i) {
    const Bin& bin = state_.bins[static_cast<std::size_t>(i)];
    const double prior = static_cast<double>(gpu::Sigmoid(CentreOf(i)));
    pools[count++] = {bin.pairs + kPriorOfBin, bin.happened + kPriorOfBin * prior, i + 1};
    for (; count > 1; --count) {
      Pool& before = pools[count - 2];
      const Pool& last = pools[count - 1];
      if (before.happened * last.pairs < last.happened * before.pairs) break;
      before = {before.pairs + last.pairs, before.happened + last.happened, last.end};
    }
  }
  state_.published = 1;
  std::int64_t bin = 0;
  for (std::size_t p = 0; p < count; ++p) {
    const Pool& pool = pools[p];
    const double odds = pool.happened / (pool.pairs - pool.happened);
    const float log_odds = gpu::Log(static_cast<float>(odds));
    for (; bin < pool.end; ++bin) {
      const auto i = static_cast<std::size_t>(bin);
      const float least = bin == 0 ? log_odds : state_.log_odds[i - 1] + kLeastSlope * kWidth;
      state_.log_odds[i] = std::max(log_odds, least);
    }
  }
}

absl::Status ProbabilityCalibration::Save(std::string_view section,
                                          graph::CheckpointSink& sink) const {
  return WriteValue(section, state_, sink);
}

absl::Status ProbabilityCalibration::Load(std::string_view section,
                                          graph::CheckpointSource& source) {
  *this = {};
  State state = {};
  WEFT_TRY(ReadValue(section, state, source));
  const auto possible = [](const std::array<Bin, kBins>& bins) {
    return std::all_of(bins.begin(), bins.end(), [](const Bin& bin) {
      return bin.happened >= 0.0 && bin.happened <= bin.pairs && std::isfinite(bin.pairs);
    });
  };
  const bool finite = std::all_of(state.log_odds.begin(), state.log_odds.end(),
                                  [](float log_odds) { return std::isfinite(log_odds); });
  if (!possible(state.bins) || !possible(state.added) || !finite || !(state.added_pairs >= 0.0))
    return absl::DataLossError(graph::Concat(
        "section ", section, ": expected finite log-odds, and as many pairs as happened or more"));
  state_ = state;
  return absl::OkStatus();
}

}  // namespace weft::operators::link
