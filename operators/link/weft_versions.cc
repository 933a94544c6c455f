#include "operators/link/weft_versions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <xxhash.h>

#include "gpu/elementary.h"
#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/recency_mix.h"
#include "operators/link/weft_features.h"
#include "operators/link/weft_kept.h"

namespace weft::operators::link {
namespace {

// -log of what the logit gives to what came.
float Loss(float logit, bool happened) {
  const float against = happened ? -logit : logit;
  const float size = against < 0.0f ? -against : against;
  return (against > 0.0f ? against : 0.0f) + gpu::Log1p(gpu::Exp(-size));
}

// How wrong it is to score the negative as it was.
double Wrong(float positive, float negative) {
  return negative > positive ? 1.0 : negative == positive ? 0.5 : 0.0;
}

// What `recency` makes of a pair, from its columns.
float RecencyOf(const float* row, float log_event_count) {
  const float* const log = row + kTargetLog;
  RecencySignals signals;
  if (row[kTargetPlain + std::int32_t{kHasReceived}] > 0.0f)
    signals.target_freshness = Freshness(log[kInSteps]);
  signals.log_target_count = log[kInCount];
  signals.log_event_count = log_event_count;
  signals.common_partners = gpu::Exp(row[kCommonCount]) - 1.0f;
  float pair_steps = std::numeric_limits<float>::infinity();
  if (row[kPairHasOut] > 0.0f) pair_steps = row[kPairOutSteps];
  if (row[kPairHasIn] > 0.0f) pair_steps = std::min(pair_steps, row[kPairInSteps]);
  signals.pair_freshness = Freshness(pair_steps);
  return RecencyMix(signals);
}

}  // namespace

WeftVersions::WeftVersions(const WeftVersionsOptions& options, const gpu::Exec& exec)
    : options_(options), exec_(exec) {}

WeftVersions::~WeftVersions() = default;

void WeftVersions::Clear() {
  guard_ = nullptr;
  replaced_ = nullptr;
  kept_.clear();
  next_number_ = 1;
  strikes_ = 0;
  restored_count_ = 0;
  live_before_ = {};
  recency_wrong_before_ = 0.0;
  StartWindow();
}

void WeftVersions::StartWindow() {
  live_ = {};
  recency_wrong_ = 0.0;
  for (Kept* version : All()) version->sums = {};
}

std::vector<WeftVersions::Kept*> WeftVersions::All() const {
  std::vector<Kept*> all;
  if (guard_ != nullptr) all.push_back(guard_.get());
  if (replaced_ != nullptr) all.push_back(replaced_.get());
  for (const auto& version : kept_) all.push_back(version.get());
  return all;
}

std::unique_ptr<WeftVersions::Kept> WeftVersions::Make(VersionOrigin origin, std::string_view note,
                                                       const WeftWeights& weights,
                                                       const VersionMoment& now) {
  auto version = std::make_unique<Kept>(options_.head, exec_);
  version->weights().Take(weights);
  const std::span<const float> values = version->head.weights();
  version->info.number = next_number_++;
  version->info.origin = origin;
  version->info.note = note;
  version->info.event_count = now.event_count;
  version->info.time_us = now.time_us;
  version->info.digest = XXH3_64bits(values.data(), values.size_bytes());
  return version;
}

bool WeftVersions::IsCompared(std::int64_t event_count) {
  return gpu::Mix64(static_cast<std::uint64_t>(event_count)) % kComparedOneIn == 0;
}

bool WeftVersions::Compare(const Scored& scored, const WeftWeights& live,
                           const VersionMoment& now) {
  const bool guards = options_.guard && scored.learns;
  if (guards && guard_ == nullptr) guard_ = Make(VersionOrigin::kGuard, "", live, now);
  const std::vector<Kept*> versions = All();
  if (versions.empty()) return false;
  const std::size_t count = scored.negative.size();
  // Weights that are not numbers any more cannot wait for the end of the window.
  const std::span<const float> logits(scored.logits, 2 * count * kHeadLogits);
  if (guards && !std::ranges::all_of(logits, [](float x) { return std::isfinite(x); })) return true;
  if (!IsCompared(now.event_count)) return false;
  live_loss_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (scored.negative[i] == graph::kNoNode) continue;
    const float positive = scored.logits[i * kHeadLogits];
    const float negative = scored.logits[(count + i) * kHeadLogits];
    const float* const row = scored.features + i * kWeftStride;
    live_loss_[i] = Loss(positive, true) + Loss(negative, false);
    ++live_.events;
    live_.loss += live_loss_[i];
    live_.wrong += Wrong(positive, negative);
    recency_wrong_ += Wrong(RecencyOf(row, scored.log_event_count),
                            RecencyOf(row + count * kWeftStride, scored.log_event_count));
  }
  logits_.resize(2 * count * kHeadLogits);
  for (Kept* version : versions) {
    version->head.Logits(scored.features, static_cast<std::int64_t>(2 * count), logits_.data());
    for (std::size_t i = 0; i < count; ++i) {
      if (scored.negative[i] == graph::kNoNode) continue;
      const float positive = logits_[i * kHeadLogits];
      const float negative = logits_[(count + i) * kHeadLogits];
      const float loss = Loss(positive, true) + Loss(negative, false);
      const double difference = double{loss} - double{live_loss_[i]};
      ++version->sums.events;
      version->sums.loss += loss;
      version->sums.wrong += Wrong(positive, negative);
      version->sums.difference += difference;
      version->sums.difference_squares += difference * difference;
    }
  }
  return live_.events >= kWindowEvents && EndWindow(live, now, guards);
}

// The guard's version is what the weights in use were when they last did well: no worse than it.
// They did badly if they were worse than it, beyond the noise, and also behind the recency mix,
// which needs no learning: of a stream that changes, both get worse, and going back would not help.
bool WeftVersions::EndWindow(const WeftWeights& live, const VersionMoment& now, bool guards) {
  bool does_well = false;
  bool does_badly = false;
  if (guards && guard_->sums.events == live_.events) {
    const VersionFigures guard = FiguresOf(guard_->sums);
    does_well = guard.loss_difference >= 0.0;
    does_badly =
        guard.loss_difference < -2.0 * guard.loss_difference_error && live_.wrong > recency_wrong_;
  }
  strikes_ = does_badly ? strikes_ + 1 : 0;
  live_before_ = live_;
  recency_wrong_before_ = recency_wrong_;
  for (Kept* version : All()) version->before = version->sums;
  if (does_well) {
    std::unique_ptr<Kept> fresh = Make(VersionOrigin::kGuard, "", live, now);
    fresh->before = live_before_;
    guard_ = std::move(fresh);
  }
  StartWindow();
  return strikes_ >= kStrikes;
}

VersionFigures WeftVersions::FiguresOf(const Sums& sums) {
  VersionFigures figures;
  if (sums.events == 0) return figures;
  const auto events = static_cast<double>(sums.events);
  figures.events = sums.events;
  figures.log_loss = sums.loss / (2.0 * events);
  figures.error = sums.wrong / events;
  figures.loss_difference = sums.difference / (2.0 * events);
  const double mean = sums.difference / events;
  const double variance = std::max(0.0, sums.difference_squares / events - mean * mean);
  figures.loss_difference_error = std::sqrt(variance / events) / 2.0;
  return figures;
}

ModelVersions WeftVersions::List() const {
  ModelVersions list;
  for (const Kept* version : All()) {
    list.versions.push_back(version->info);
    list.versions.back().figures = FiguresOf(version->before);
  }
  std::ranges::sort(list.versions, {}, &ModelVersion::number);
  list.live = FiguresOf(live_before_);
  if (live_before_.events > 0)
    list.recency_error = recency_wrong_before_ / static_cast<double>(live_before_.events);
  list.window_events = kWindowEvents;
  list.guarded = options_.guard;
  list.restored_count = restored_count_;
  return list;
}

absl::StatusOr<WeftWeights> WeftVersions::Find(std::uint64_t number) const {
  std::vector<std::string> known;
  for (Kept* version : All())
    if (version->info.number == number) return version->weights();
  for (const ModelVersion& version : List().versions)
    known.push_back(graph::Concat(version.number));
  return absl::NotFoundError(graph::Concat("expected a version that is kept, one of ",
                                           graph::JoinNames(known, ", ", "(none)"), ", got ",
                                           number));
}

absl::StatusOr<std::uint64_t> WeftVersions::Keep(VersionOrigin origin, std::string_view note,
                                                 const WeftWeights& weights,
                                                 const VersionMoment& now) {
  if (kept_.size() >= static_cast<std::size_t>(options_.most))
    return absl::ResourceExhaustedError(graph::Concat(
        kept_.size(), " versions are kept already, as many as max_versions allows; drop one"));
  kept_.push_back(Make(origin, note, weights, now));
  return kept_.back()->info.number;
}

void WeftVersions::Activate(const WeftWeights& from, const WeftWeights& live, std::string_view note,
                            const VersionMoment& now) {
  std::unique_ptr<Kept> replaced = Make(VersionOrigin::kReplaced, note, live, now);
  live.Take(from);
  replaced_ = std::move(replaced);  // `from` may be the one before
  strikes_ = 0;
  StartWindow();
}

absl::StatusOr<std::uint64_t> WeftVersions::Promote(std::uint64_t number, const WeftWeights& live,
                                                    const VersionMoment& now) {
  WEFT_ASSIGN(const WeftWeights from, Find(number));
  Activate(from, live, graph::Concat("before version ", number, " was promoted"), now);
  return number;
}

absl::StatusOr<std::uint64_t> WeftVersions::RollBack(const WeftWeights& live,
                                                     const VersionMoment& now) {
  if (replaced_ == nullptr)
    return absl::FailedPreconditionError("no version has been replaced, so none can be taken back");
  const std::uint64_t number = replaced_->info.number;
  Activate(replaced_->weights(), live, graph::Concat("before version ", number, " was taken back"),
           now);
  return number;
}

absl::StatusOr<std::uint64_t> WeftVersions::Drop(std::uint64_t number) {
  const auto found = std::ranges::find_if(
      kept_, [number](const auto& version) { return version->info.number == number; });
  if (found == kept_.end()) {
    std::vector<std::string> known;
    for (const auto& version : kept_) known.push_back(graph::Concat(version->info.number));
    return absl::NotFoundError(graph::Concat("expected a version that a command kept, one of ",
                                             graph::JoinNames(known, ", ", "(none)"), ", got ",
                                             number));
  }
  kept_.erase(found);
  return number;
}

void WeftVersions::Restore(const WeftWeights& live, const VersionMoment& now) {
  WEFT_CHECK(guard_ != nullptr);
  Activate(guard_->weights(), live, "before the drift guard went back", now);
  ++restored_count_;
}

}  // namespace weft::operators::link
