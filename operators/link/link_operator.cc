#include "operators/link/link_operator.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/text.h"
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
  contract.state_version = 3;
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
  return absl::OkStatus();
}

absl::Status LinkOperator::Process(graph::ProcessContext& context) {
  const bool has_negatives = context.port() == kCandidates.name;
  const graph::EventBatch& batch =
      has_negatives ? context.Get(kCandidates).events : context.Get(kEvents);
  const auto events = graph::EventSpan::Of(batch, context.begin(), context.end());
  const auto count = static_cast<std::size_t>(events.size());
  std::span<const graph::NodeId> negative;
  if (has_negatives) {
    negative = std::span(context.Get(kCandidates).negative)
                   .subspan(static_cast<std::size_t>(context.begin()), count);
  }

  auto scores = std::make_shared<LinkScores>();
  scores->events.source.assign(events.source.begin(), events.source.end());
  scores->events.target.assign(events.target.begin(), events.target.end());
  scores->events.time_us.assign(events.time_us.begin(), events.time_us.end());
  scores->events.label.assign(events.label.begin(), events.label.end());
  scores->negative.assign(negative.begin(), negative.end());
  scores->probability = model_->scores_are_probabilities();
  scores->model = model_->name();
  scores->model_version = model_version_;
  const bool learn = settings_.learn && has_negatives;
  scored_.positive.resize(count);
  scored_.negative.resize(negative.size());
  model_->Advance(
      {.events = events, .negative = negative, .extra_begin = {}, .extra = {}, .learn = learn},
      {.positive = scored_.positive, .negative = scored_.negative, .extra = {}});
  for (const PairScore& score : scored_.positive) scores->positive_score.push_back(score.random);
  for (const PairScore& score : scored_.negative) scores->negative_score.push_back(score.random);
  context.Emit<LinkScores>(kScores, std::move(scores));
  if (learn) ++model_version_;
  CountRestored();
  for (std::size_t i = 0; i < count; ++i) {
    if (targets_->Find(events.target[i]) != cache::kNoRow) coverage_.Add(scored_.positive[i].joint);
    targets_->Admit(events.target[i]);
    last_time_us_ = std::max(last_time_us_, events.time_us[i]);
  }
  return absl::OkStatus();
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
}

std::vector<graph::NodeId> LinkOperator::RecentTargets(std::int64_t limit) const {
  return targets_->MostRecent(limit);
}

absl::Status LinkOperator::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue("model_version", model_version_, sink));
  WEFT_TRY(WriteValue("last_time_us", last_time_us_, sink));
  WEFT_TRY(WriteRowIndex("targets", *targets_, sink));
  WEFT_TRY(coverage_.Save("coverage", sink));
  WEFT_TRY(model_->SaveWeights(sink));
  return model_->SaveState(sink);
}

absl::Status LinkOperator::Load(graph::CheckpointSource& source) {
  WEFT_TRY(ReadValue("model_version", model_version_, source));
  WEFT_TRY(ReadValue("last_time_us", last_time_us_, source));
  WEFT_TRY(ReadRowIndex("targets", *targets_, source));
  WEFT_TRY(coverage_.Load("coverage", source));
  WEFT_TRY(model_->LoadWeights(source));
  WEFT_TRY(model_->LoadState(source));
  if (model_->versioned() != nullptr) counted_restored_ = model_->versioned()->restored_count();
  return absl::OkStatus();
}

}  // namespace weft::operators::link
