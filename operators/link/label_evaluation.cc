#include "operators/link/label_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gpu/elementary.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/event_features.h"
#include "operators/link/head_training.h"
#include "operators/link/label_history.h"
#include "operators/link/weft_columns.h"

namespace weft::operators::link {
namespace {

// What a baseline's rate is made of.
constexpr std::array<std::pair<const char*, RecordOwner>, 3> kRates = {
    std::pair("source_rate", RecordOwner::kSourceSent),
    std::pair("target_rate", RecordOwner::kTargetReceived),
    std::pair("pair_rate", RecordOwner::kPair)};
constexpr std::array kPriors = {0.25f, 0.5f, 1.0f, 2.0f, 4.0f, 8.0f, 16.0f, 32.0f, 64.0f};

// Of an event, before its label was known.
struct KnownLabels {
  float base_rate;
  std::array<LabelRecord, kRates.size()> record;
};

class LabelEvaluation {
 public:
  LabelEvaluation(const graph::EventBatch& events, std::int64_t node_count,
                  const LabelEvaluationOptions& options)
      : events_(events),
        node_count_(node_count),
        options_(options),
        split_(SplitByTime(events.time_us)) {}

  absl::StatusOr<LabelEvaluationResult> Run();

 private:
  absl::Status Check();
  LabelPart PartOf(std::int64_t begin, std::int64_t end) const;
  void ReadRows();
  void ReadLabels(std::int32_t first_column);
  void ReadFeatures(std::int32_t first_column);
  void RunSeed(std::uint64_t seed);
  LabelFigures FiguresOf(const std::vector<float>& score) const;
  double LossOf(const std::vector<float>& score, std::int64_t begin, std::int64_t end) const;
  void AddBaselines();

  const graph::EventBatch& events_;
  std::int64_t node_count_;
  const LabelEvaluationOptions& options_;
  TimeSplit split_;
  std::vector<bool> positive_;
  HeadRows rows_;
  std::vector<KnownLabels> known_;
  LabelEvaluationResult result_;
};

LabelPart LabelEvaluation::PartOf(std::int64_t begin, std::int64_t end) const {
  return {.events = end - begin,
          .positives = std::count(positive_.begin() + begin, positive_.begin() + end, true)};
}

absl::Status LabelEvaluation::Check() {
  if (options_.batch < 1 || options_.epochs < 1 || options_.seeds.empty())
    return absl::InvalidArgumentError("expected a batch and epochs of at least 1, and a seed");
  WEFT_ASSIGN(positive_, ApplyLabelRule(events_, options_.rule));
  result_.split = split_;
  result_.train = PartOf(0, split_.validation);
  result_.validation = PartOf(split_.validation, split_.test);
  result_.test = PartOf(split_.test, split_.end);
  for (const auto& [name, part] :
       {std::pair("train", result_.train), std::pair("validation", result_.validation),
        std::pair("test", result_.test)}) {
    if (part.events == 0)
      return absl::InvalidArgumentError(
          graph::Concat("expected events in all of train, validation and test (cut at the 70 % and "
                        "85 % quantiles of the times), got none in ",
                        name));
    if (name == std::string_view("validation")) continue;
    if (part.positives == 0 || part.positives == part.events)
      return absl::InvalidArgumentError(graph::Concat(
          "expected events with and without ", DescribeLabelRule(options_.rule), " in the ", name,
          " part, got it in ", part.positives, " of ", part.events));
  }
  return absl::OkStatus();
}

// Labels of earlier groups of events are known, those of the own group are not.
void LabelEvaluation::ReadLabels(std::int32_t first_column) {
  LabelHistory history({.max_nodes = std::max<std::int64_t>(1, node_count_),
                        .max_pairs = std::max<std::int64_t>(1, events_.size())});
  const auto same_group = [&](std::int64_t i, std::int64_t j) {
    switch (options_.reads) {
      case LinkReads::kBeforeEvent:
        return false;
      case LinkReads::kBeforeBatch:
        return i / options_.batch == j / options_.batch;
      default:
        return events_.time_us[static_cast<std::size_t>(i)] ==
               events_.time_us[static_cast<std::size_t>(j)];
    }
  };
  known_.resize(events_.source.size());
  for (std::int64_t begin = 0, end = 0; begin < events_.size(); begin = end) {
    for (end = begin + 1; end < events_.size() && same_group(begin, end);) ++end;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto e = static_cast<std::size_t>(i);
      history.Read(events_.source[e], events_.target[e], rows_.Row(i) + first_column);
      known_[e].base_rate = history.base_rate();
      for (std::size_t r = 0; r < kRates.size(); ++r)
        known_[e].record[r] = history.Of(kRates[r].second, events_.source[e], events_.target[e]);
    }
    for (std::int64_t i = begin; i < end; ++i) {
      const auto e = static_cast<std::size_t>(i);
      history.Observe(events_.source[e], events_.target[e], positive_[e]);
    }
  }
}

void LabelEvaluation::ReadFeatures(std::int32_t first_column) {
  for (std::int64_t i = 0; i < events_.size(); ++i) {
    float* to = rows_.Row(i) + first_column;
    for (const std::int32_t k : result_.features)
      *to++ =
          ScaledFeature(events_.feature[static_cast<std::size_t>(i * events_.feature_count + k)]);
  }
}

void LabelEvaluation::ReadRows() {
  const double begin_seconds = learn::ProcessCpuSeconds();
  if (options_.features)
    for (std::int32_t k = 0; k < events_.feature_count; ++k)
      if (k != options_.rule.feature) result_.features.push_back(k);
  constexpr std::int32_t kLabels = kWeftColumnCount;
  constexpr std::int32_t kFeatures = kLabels + kLabelColumns;
  rows_.columns = kFeatures + static_cast<std::int32_t>(result_.features.size());
  rows_.Resize(events_.size());
  if (options_.progress) options_.progress("reading", 0, events_.size());
  WeftColumns columns({.table = {.max_nodes = std::max<std::int64_t>(1, node_count_)},
                       .reads = options_.reads,
                       .step_events = options_.batch},
                      gpu::HostExec{});
  columns.Advance(graph::EventSpan::Of(events_), rows_.row.data(), rows_.stride());
  ReadLabels(kLabels);
  ReadFeatures(kFeatures);
  for (std::size_t i = 0; i < positive_.size(); ++i) {
    rows_.answer[i] = positive_[i] ? 1.0f : 0.0f;
    rows_.weight[i] = 1.0f;
  }
  result_.columns = rows_.columns;
  result_.read_cpu_seconds = learn::ProcessCpuSeconds() - begin_seconds;
}

double LabelEvaluation::LossOf(const std::vector<float>& score, std::int64_t begin,
                               std::int64_t end) const {
  constexpr double kNearest = 1e-7;
  double loss = 0.0;
  for (std::int64_t i = begin; i < end; ++i) {
    const double p =
        std::clamp<double>(score[static_cast<std::size_t>(i - begin)], kNearest, 1.0 - kNearest);
    loss -= std::log(positive_[static_cast<std::size_t>(i)] ? p : 1.0 - p);
  }
  return loss / static_cast<double>(end - begin);
}

// Scores of the test part.
LabelFigures LabelEvaluation::FiguresOf(const std::vector<float>& score) const {
  std::vector<float> positive, negative;
  for (std::size_t i = 0; i < score.size(); ++i)
    (positive_[static_cast<std::size_t>(split_.test) + i] ? positive : negative)
        .push_back(score[i]);
  const learn::RankingScore ranking = learn::RankingOf(positive, negative);
  return {.ap = ranking.average_precision,
          .auc = ranking.area_under_curve,
          .log_loss = LossOf(score, split_.test, split_.end),
          .calibration_error = learn::CalibrationError(learn::Reliability(positive, negative))};
}

void LabelEvaluation::RunSeed(std::uint64_t seed) {
  const double begin_seconds = learn::ProcessCpuSeconds();
  const HeadTrainingResult trained =
      TrainHead(rows_, split_.validation, split_.test,
                {.seed = seed, .epochs = options_.epochs, .progress = options_.progress});
  std::vector<float> score;
  for (std::int64_t i = split_.test; i < split_.end; ++i)
    score.push_back(gpu::Sigmoid(trained.logits[static_cast<std::size_t>(i - split_.validation)]));
  const LabelFigures figures = FiguresOf(score);
  if (result_.score.empty()) result_.score = score;
  const auto seeds = static_cast<double>(options_.seeds.size());
  result_.figures.ap += figures.ap / seeds;
  result_.figures.auc += figures.auc / seeds;
  result_.figures.log_loss += figures.log_loss / seeds;
  result_.figures.calibration_error += figures.calibration_error / seeds;
  result_.ap_by_seed.push_back(figures.ap);
  result_.validation_loss.push_back(trained.validation_loss);
  result_.best_epoch.push_back(trained.best_epoch);
  result_.parameters = trained.parameters;
  result_.learn_cpu_seconds += learn::ProcessCpuSeconds() - begin_seconds;
}

void LabelEvaluation::AddBaselines() {
  const auto train_rate = static_cast<float>(static_cast<double>(result_.train.positives) /
                                             static_cast<double>(result_.train.events));
  const std::vector<float> base(static_cast<std::size_t>(result_.test.events), train_rate);
  result_.baselines.push_back({.name = "base_rate", .prior = 0.0, .figures = FiguresOf(base)});
  for (std::size_t r = 0; r < kRates.size(); ++r) {
    const auto scores = [&](std::int64_t begin, std::int64_t end, float prior) {
      std::vector<float> score;
      for (std::int64_t i = begin; i < end; ++i) {
        const KnownLabels& known = known_[static_cast<std::size_t>(i)];
        score.push_back(SmoothedRate(known.record[r], known.base_rate, prior));
      }
      return score;
    };
    float best = kPriors[0];
    double best_loss = INFINITY;
    for (const float prior : kPriors) {
      const double loss =
          LossOf(scores(split_.validation, split_.test, prior), split_.validation, split_.test);
      if (loss >= best_loss) continue;
      best_loss = loss;
      best = prior;
    }
    result_.baselines.push_back({.name = kRates[r].first,
                                 .prior = static_cast<double>(best),
                                 .figures = FiguresOf(scores(split_.test, split_.end, best))});
  }
}

absl::StatusOr<LabelEvaluationResult> LabelEvaluation::Run() {
  WEFT_TRY(Check());
  ReadRows();
  for (const std::uint64_t seed : options_.seeds) RunSeed(seed);
  if (options_.seeds.size() > 1) {
    double squares = 0.0;
    for (const double ap : result_.ap_by_seed)
      squares += (ap - result_.figures.ap) * (ap - result_.figures.ap);
    result_.ap_stddev = std::sqrt(squares / static_cast<double>(options_.seeds.size() - 1));
  }
  AddBaselines();
  return std::move(result_);
}

}  // namespace

std::string DescribeLabelRule(const LabelRule& rule) {
  const std::string column = rule.feature < 0 ? "label" : graph::Concat("f", rule.feature);
  const char* const side = rule.side == LabelRule::Side::kAbove   ? " > "
                           : rule.side == LabelRule::Side::kBelow ? " < "
                                                                  : " = ";
  return graph::Concat(column, side, rule.value);
}

absl::StatusOr<std::vector<bool>> ApplyLabelRule(const graph::EventBatch& events,
                                                 const LabelRule& rule) {
  if (rule.feature < 0 && events.label.empty())
    return absl::InvalidArgumentError(
        "expected a column of labels, got none; --column takes a feature instead");
  if (rule.feature >= events.feature_count)
    return absl::InvalidArgumentError(graph::Concat("expected a feature f", rule.feature, ", got ",
                                                    events.feature_count, " features"));
  std::vector<bool> positive(events.source.size());
  const auto width = static_cast<std::size_t>(events.feature_count);
  for (std::size_t i = 0; i < positive.size(); ++i)
    positive[i] = rule.Holds(
        rule.feature < 0 ? events.label[i]
                         : events.feature[i * width + static_cast<std::size_t>(rule.feature)]);
  return positive;
}

absl::StatusOr<LabelEvaluationResult> EvaluateLabels(const graph::EventBatch& events,
                                                     std::int64_t node_count,
                                                     const LabelEvaluationOptions& options) {
  return LabelEvaluation(events, node_count, options).Run();
}

}  // namespace weft::operators::link
