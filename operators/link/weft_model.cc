#include "operators/link/weft_model.h"

#include <algorithm>
#include <unordered_map>

#include "gpu/elementary.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/link/weft_columns.h"
#include "operators/link/weft_workspace.h"

namespace weft::operators::link {
namespace {

// Not calibrated yet.
PairScore ScoreOf(const float* logits) {
  const float random = gpu::Sigmoid(logits[0]);
  return {random, logits[1], logits[2], random};
}

}  // namespace

WeftModel::WeftModel(const WeftOptions& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      table_(options.table, gpu::MemoryOf(exec)),
      head_({.seed = options.seed,
             .max_rows = std::max(5 * options.step_events, kReadPairs),
             .adam = options.adam,
             .without = options.without},
            exec),
      memory_(options.seed),
      versions_({.most = options.max_versions,
                 .guard = options.guard,
                 .head = {.seed = options.seed,
                          .max_rows = 2 * options.step_events,
                          .adam = options.adam,
                          .without = options.without}},
                exec),
      workspace_(std::make_unique<Workspace>(options.step_events, gpu::MemoryOf(exec))) {}

WeftModel::~WeftModel() = default;

std::vector<std::pair<std::string, std::int64_t>> WeftModel::dims() const {
  return {{"slots", table_.slots()}, {"columns", kWeftColumnCount}, {"hidden", kHeadWidth}};
}

void WeftModel::ResetState() {
  gpu::Synchronize(exec_);
  table_.Clear();
  memory_.Clear();
  versions_.Clear();
  workspace_->events_since_memory = 0;
}

void WeftModel::SetTrainingProgress(double done) {
  // One cycle: up to twice the service's rate over the first tenth, then down to nothing.
  constexpr double kRise = 0.1;
  training_ = true;
  rate_factor_ =
      static_cast<float>(2.0 * (done < kRise ? done / kRise : (1.0 - done) / (1.0 - kRise)));
}

WeftTarget WeftModel::TargetOf(graph::NodeId node) const {
  if (node == graph::kNoNode) return {kUnknownTarget, cache::kNoRow};
  return {node, table_.nodes().Find(node)};
}

void WeftModel::Advance(const LinkStep& step, const LinkStepScores& scores) {
  const std::int64_t events = step.events.size();
  for (std::int64_t begin = 0; begin < events; begin += options_.step_events)
    AdvancePiece(step, scores, begin, std::min(events, begin + options_.step_events));
}

// Rows are found as of each event, so that what is read of a node that loses its row is what it was
// before.
WeftStepView WeftModel::Plan(const LinkStep& step, std::int64_t begin, std::int64_t end) {
  Workspace& w = *workspace_;
  const bool has_extra = !step.extra_begin.empty();
  const std::int32_t first_extra =
      has_extra ? step.extra_begin[static_cast<std::size_t>(begin)] : 0;
  if (has_extra) {
    const std::int64_t extras = step.extra_begin[static_cast<std::size_t>(end)] - first_extra;
    w.extra.Grow(extras);
    w.extra_features.Grow(extras * kWeftStride);
  }
  for (std::int64_t i = begin; i < end; ++i) {
    const auto e = static_cast<std::size_t>(i);
    const std::int64_t at = i - begin;
    w.own[at] = TargetOf(step.events.target[e]);
    w.source_row[at] = table_.nodes().Find(step.events.source[e]);
    w.row_count[at] = static_cast<std::uint32_t>(table_.nodes().size());
    if (!step.negative.empty()) w.negative[at] = TargetOf(step.negative[e]);
    if (has_extra) {
      w.extra_begin[at] = step.extra_begin[e] - first_extra;
      for (std::int32_t x = step.extra_begin[e]; x < step.extra_begin[e + 1]; ++x)
        w.extra[x - first_extra] = TargetOf(step.extra[static_cast<std::size_t>(x)]);
      w.extra_begin[at + 1] = step.extra_begin[e + 1] - first_extra;
    }
    w.event[at] =
        table_.Admit(step.events.source[e], step.events.target[e], step.events.time_us[e]);
  }

  const std::int64_t count = end - begin;
  WeftStepView view = {};
  view.rows = table_.rows();
  view.stream = &table_.stream();
  view.source = w.source.data();
  view.groups = WeftGroupsOf(options_.reads);
  view.seed = options_.seed;
  view.event_count = static_cast<std::int32_t>(count);
  view.event = w.event.data();
  view.own = w.own.data();
  view.source_row = w.source_row.data();
  view.row_count = w.row_count.data();
  view.positive = w.pair_features.data();
  if (!step.negative.empty()) {
    view.negative = w.negative.data();
    view.negative_features = w.pair_features.data() + count * kWeftStride;
  }
  if (has_extra) {
    view.extra_begin = w.extra_begin.data();
    view.extra = w.extra.data();
    view.extra_features = w.extra_features.data();
  }
  if (step.learn) {
    view.seen_features = w.seen_features.data();
    view.historical_features = w.historical_features.data();
    view.unknown_features = w.unknown_features.data();
    view.has_seen = w.has_seen.data();
    view.has_historical = w.has_historical.data();
    view.is_new = w.is_new.data();
  }
  return view;
}

void WeftModel::ScoreRows(const float* features, std::span<PairScore> score,
                          std::vector<float>& logits) const {
  const std::size_t count = score.size();
  logits.resize(count * kHeadLogits);
  head_.Logits(features, static_cast<std::int64_t>(count), logits.data());
  for (std::size_t i = 0; i < count; ++i) score[i] = ScoreOf(logits.data() + i * kHeadLogits);
}

void WeftModel::AdvancePiece(const LinkStep& step, const LinkStepScores& scores, std::int64_t begin,
                             std::int64_t end) {
  gpu::Synchronize(exec_);
  Workspace& w = *workspace_;
  const graph::TimeUs last_us = table_.stream().last_us;
  const WeftStepView view = Plan(step, begin, end);
  std::visit([&](const auto& e) { WeftAdvanceOn(e, view); }, exec_);

  const auto first = static_cast<std::size_t>(begin);
  const auto count = static_cast<std::size_t>(end - begin);
  const std::size_t negatives = step.negative.empty() ? 0 : count;
  w.scores.resize(count + negatives);
  ScoreRows(w.pair_features.data(), w.scores, w.logits);
  std::copy_n(w.scores.begin(), count, scores.positive.begin() + begin);
  if (negatives > 0)
    std::copy_n(w.scores.begin() + static_cast<std::ptrdiff_t>(count), count,
                scores.negative.begin() + begin);
  if (!step.extra_begin.empty()) {
    const auto from = static_cast<std::size_t>(step.extra_begin[first]);
    const auto to = static_cast<std::size_t>(step.extra_begin[first + count]);
    ScoreRows(w.extra_features.data(), scores.extra.subspan(from, to - from), w.extra_logits);
  }
  Calibrate(step, scores, begin, end, last_us);
  if (!step.negative.empty() && !training_) CompareVersions(step, begin, end);
  if (step.learn) Learn(step, begin, end);
}

void WeftModel::ScorePairs(std::span<const graph::NodeId> source,
                           std::span<const graph::NodeId> target, graph::TimeUs time_us,
                           std::span<PairScore> score) const {
  gpu::Synchronize(exec_);
  Workspace& w = *workspace_;
  std::unordered_map<graph::NodeId, std::int32_t> number;
  std::vector<std::int32_t> pair_source(source.size());
  std::vector<WeftTarget> sources;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (i > 0 && source[i] == source[i - 1]) {  // as in a ranking
      pair_source[i] = pair_source[i - 1];
      continue;
    }
    const auto [found, fresh] =
        number.try_emplace(source[i], static_cast<std::int32_t>(sources.size()));
    pair_source[i] = found->second;
    if (!fresh) continue;
    sources.push_back(source[i] == graph::kNoNode ? WeftTarget{kUnknownSource, cache::kNoRow}
                                                  : TargetOf(source[i]));
  }
  const auto source_count = static_cast<std::int64_t>(sources.size());
  w.read_source.Grow(source_count);
  w.read_context.Grow(source_count);
  std::copy(sources.begin(), sources.end(), w.read_source.data());
  WeftPairsView view = {};
  view.rows = table_.rows();
  view.now = NowOfRead(table_.stream(), std::max(time_us, table_.stream().last_us));
  view.source_count = static_cast<std::int32_t>(source_count);
  view.source = w.read_source.data();
  view.read = w.read_context.data();
  view.pair_source = w.read_pair_source.data();
  view.target = w.read_target.data();
  view.features = w.read_features.data();
  std::visit([&](const auto& e) { WeftReadSourcesOn(e, view); }, exec_);
  ProbabilityCalibration calibration = calibration_;
  calibration.Publish();  // as for an event of a later time
  for (std::size_t begin = 0; begin < source.size(); begin += kReadPairs) {
    const std::size_t count = std::min<std::size_t>(kReadPairs, source.size() - begin);
    gpu::Synchronize(exec_);
    for (std::size_t i = 0; i < count; ++i) {
      w.read_pair_source[static_cast<std::int64_t>(i)] = pair_source[begin + i];
      w.read_target[static_cast<std::int64_t>(i)] = TargetOf(target[begin + i]);
    }
    view.pair_count = static_cast<std::int32_t>(count);
    std::visit([&](const auto& e) { WeftReadPairsOn(e, view); }, exec_);
    ScoreRows(w.read_features.data(), score.subspan(begin, count), w.logits);
    for (std::size_t i = 0; i < count; ++i)
      score[begin + i].probability = calibration.Probability(w.logits[i * kHeadLogits]);
  }
}

}  // namespace weft::operators::link
