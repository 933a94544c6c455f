#include "operators/link/link_operator.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/model_file.h"
#include "operators/link/section.h"

namespace weft::operators::link {

absl::StatusOr<std::int64_t> PositiveOption(const graph::OpenContext& context,
                                            std::string_view field, std::int64_t value,
                                            std::int64_t fallback, std::int64_t largest) {
  if (value == 0) return fallback;
  if (value > 0 && value <= largest) return value;
  return context.OptionError(field, graph::Concat("expected 1 to ", largest, ", got ", value));
}

absl::StatusOr<LinkOperatorSettings> LinkSettings(const graph::OpenContext& context,
                                                  std::string_view field,
                                                  const v1::LinkScoring& scoring) {
  constexpr std::int64_t kMaxTargets = std::int64_t{1} << 28;
  LinkOperatorSettings settings;
  WEFT_ASSIGN(const std::int64_t batch, PositiveOption(context, graph::Concat(field, ".batch"),
                                                       scoring.batch(), settings.batch, 4096));
  WEFT_ASSIGN(settings.max_targets,
              PositiveOption(context, graph::Concat(field, ".max_targets"), scoring.max_targets(),
                             settings.max_targets, kMaxTargets));
  settings.batch = static_cast<std::int32_t>(batch);
  return settings;
}

absl::StatusOr<float> LearningRateOption(const graph::OpenContext& context, float value,
                                         float fallback) {
  if (value == 0.0f) return fallback;
  if (value > 0.0f && value <= 1.0f) return value;
  return context.OptionError(
      "learning_rate", graph::Concat("expected 0 (which means ", fallback, ") to 1, got ", value));
}

absl::Status ReadModelOption(const graph::OpenContext& context, const std::string& model_file,
                             const std::string& model_digest, LinkModel& model) {
  if (model_file.empty()) return absl::OkStatus();
  WEFT_ASSIGN(const std::string digest, ModelFileDigest(model_file));
  if (!model_digest.empty() && model_digest != digest)
    return context.OptionError("model_digest", graph::Concat("expected the digest of ", model_file,
                                                             ", ", digest, ", got ", model_digest));
  return ReadModelFile(model_file, model);
}

graph::Contract LinkOperator::LinkContract(std::string_view options_type) {
  graph::Contract contract;
  contract.Input(kCandidates, /*optional=*/true).Input(kEvents, /*optional=*/true);
  contract.Output(kScores);
  contract.options_type = options_type;
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = 32;
  contract.state_version = 4;
  return contract;
}

absl::Status LinkOperator::Open(graph::OpenContext& context) {
  if (context.IsInputConnected(kCandidates.name) == context.IsInputConnected(kEvents.name)) {
    return context.OptionError("input",
                               "expected exactly one of CANDIDATES and EVENTS to be connected");
  }
  WEFT_ASSIGN(model_, MakeModel(context, settings_));
  targets_.emplace(settings_.max_targets);
  if (model_->versioned() != nullptr)
    restored_count_ = &context.metrics().GetCounter(
        "weft_model_restored_total", "Times that the drift guard took a model's version back.",
        {{"node", std::string(context.node_name())}});
  node_name_ = context.node_name();
  const bool calibrates_itself = !model_->LogOdds(0.0f);
  if (!calibrates_itself && context.IsInputConnected(kCandidates.name)) calibration_.emplace();
  has_probabilities_ = calibrates_itself || calibration_;
  return absl::OkStatus();
}

absl::Status LinkOperator::Process(graph::ProcessContext& context) {
  const bool has_negatives = context.port() == kCandidates.name;
  const LinkCandidates* const candidates = has_negatives ? &context.Get(kCandidates) : nullptr;
  const graph::EventBatch& batch = has_negatives ? candidates->events : context.Get(kEvents);
  LinkStep step;
  step.events = graph::EventSpan::Of(batch, context.begin(), context.end());
  const auto count = static_cast<std::size_t>(step.events.size());
  const auto begin = static_cast<std::size_t>(context.begin());
  scored_.extra_begin.clear();
  if (has_negatives) {
    step.negative = std::span(candidates->negative).subspan(begin, count);
    TakeExtras(*candidates, begin, count, step);
  }
  step.learn = settings_.learn && has_negatives;
  scored_.positive.resize(count);
  scored_.negative.resize(step.negative.size());
  scored_.extra.resize(step.extra.size());
  model_->Advance(
      step, {.positive = scored_.positive, .negative = scored_.negative, .extra = scored_.extra});
  if (calibration_) Calibrate(step.negative);
  context.Emit<LinkScores>(kScores, MakeScores(step));
  if (step.learn) ++model_version_;
  CountRestored();
  for (std::size_t i = 0; i < count; ++i) {
    const graph::NodeId target = step.events.target[i];
    if (targets_->Find(target) != cache::kNoRow) coverage_.Add(scored_.positive[i].joint);
    targets_->Admit(target);
    last_time_us_ = std::max(last_time_us_, step.events.time_us[i]);
  }
  return absl::OkStatus();
}

void LinkOperator::TakeExtras(const LinkCandidates& candidates, std::size_t begin,
                              std::size_t count, LinkStep& step) {
  if (candidates.extra.empty()) return;
  const auto places = std::span(candidates.extra_begin).subspan(begin, count + 1);
  for (const std::int32_t place : places) scored_.extra_begin.push_back(place - places.front());
  step.extra_begin = scored_.extra_begin;
  step.extra = std::span(candidates.extra)
                   .subspan(static_cast<std::size_t>(places.front()),
                            static_cast<std::size_t>(scored_.extra_begin.back()));
  if (!step.extra.empty()) return;
  scored_.extra_begin.clear();
  step.extra_begin = {};
}

// What a micro-batch brings is known to the next one's probabilities, as it is to its scores.
void LinkOperator::Calibrate(std::span<const graph::NodeId> negative) {
  calibration_->Publish();
  CalibrateScores(*calibration_, scored_.positive);
  CalibrateScores(*calibration_, scored_.negative);
  for (std::size_t i = 0; i < negative.size(); ++i) {
    if (negative[i] == graph::kNoNode) continue;
    calibration_->Add(*model_->LogOdds(scored_.positive[i].random), true);
    calibration_->Add(*model_->LogOdds(scored_.negative[i].random), false);
  }
}

void LinkOperator::CalibrateScores(const ProbabilityCalibration& calibration,
                                   std::span<PairScore> scores) const {
  for (PairScore& score : scores)
    score.probability = calibration.Probability(*model_->LogOdds(score.random));
}

std::shared_ptr<LinkScores> LinkOperator::MakeScores(const LinkStep& step) const {
  const graph::EventSpan& events = step.events;
  auto scores = std::make_shared<LinkScores>();
  scores->events.source.assign(events.source.begin(), events.source.end());
  scores->events.target.assign(events.target.begin(), events.target.end());
  scores->events.time_us.assign(events.time_us.begin(), events.time_us.end());
  scores->events.label.assign(events.label.begin(), events.label.end());
  scores->negative.assign(step.negative.begin(), step.negative.end());
  scores->node = node_name_;
  scores->model = model_->name();
  scores->model_version = model_version_;
  scores->learned = learned();
  for (const PairScore& score : scored_.positive) {
    scores->positive_score.push_back(score.random);
    if (has_probabilities_) scores->positive_probability.push_back(score.probability);
  }
  for (const PairScore& score : scored_.negative) {
    scores->negative_score.push_back(score.random);
    if (has_probabilities_) scores->negative_probability.push_back(score.probability);
  }
  if (step.extra.empty()) return scores;
  std::vector<float> others;
  for (std::size_t i = 0; i < scored_.positive.size(); ++i) {
    others.clear();
    for (std::int32_t at = step.extra_begin[i]; at < step.extra_begin[i + 1]; ++at)
      others.push_back(scored_.extra[static_cast<std::size_t>(at)].joint);
    const double rank = others.empty() ? 0.0 : learn::MeanRank(scored_.positive[i].joint, others);
    scores->rank.push_back(static_cast<float>(rank));
  }
  return scores;
}

// The counter counts since the start of the process, the model since the start of the stream.
void LinkOperator::CountRestored() {
  if (restored_count_ == nullptr) return;
  const std::int64_t count = model_->versioned()->restored_count();
  if (count > counted_restored_)
    restored_count_->Add(static_cast<std::uint64_t>(count - counted_restored_));
  counted_restored_ = count;
}

void LinkOperator::ScorePairs(std::span<const graph::NodeId> source,
                              std::span<const graph::NodeId> target,
                              std::span<PairScore> score) const {
  model_->ScorePairs(source, target, last_time_us_, score);
  if (!calibration_) return;
  ProbabilityCalibration calibration = *calibration_;
  calibration.Publish();  // as for the next micro-batch
  CalibrateScores(calibration, score);
}

std::vector<graph::NodeId> LinkOperator::RecentTargets(std::int64_t limit) const {
  return targets_->MostRecent(limit);
}

absl::Status LinkOperator::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue("model_version", model_version_, sink));
  WEFT_TRY(WriteValue("last_time_us", last_time_us_, sink));
  WEFT_TRY(WriteRowIndex("targets", *targets_, sink));
  WEFT_TRY(coverage_.Save("coverage", sink));
  if (calibration_) WEFT_TRY(calibration_->Save("probabilities", sink));
  WEFT_TRY(model_->SaveWeights(sink));
  return model_->SaveState(sink);
}

absl::Status LinkOperator::Load(graph::CheckpointSource& source) {
  WEFT_TRY(ReadValue("model_version", model_version_, source));
  WEFT_TRY(ReadValue("last_time_us", last_time_us_, source));
  WEFT_TRY(ReadRowIndex("targets", *targets_, source));
  WEFT_TRY(coverage_.Load("coverage", source));
  if (calibration_) WEFT_TRY(calibration_->Load("probabilities", source));
  WEFT_TRY(model_->LoadWeights(source));
  WEFT_TRY(model_->LoadState(source));
  if (model_->versioned() != nullptr) counted_restored_ = model_->versioned()->restored_count();
  return absl::OkStatus();
}

}  // namespace weft::operators::link
