#include "operators/link/next_time_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "gpu/elementary.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/link/event_features.h"
#include "operators/link/head_training.h"
#include "operators/link/next_time_baselines.h"
#include "operators/link/wait_bins.h"
#include "operators/link/weft_columns.h"

namespace weft::operators::link {
namespace {

// Beside the columns of weft and of waits: events of the moment, and where it is in day and week.
constexpr std::int32_t kMomentColumns = 1 + 2 * 3;

void ReadMoment(std::int32_t events, graph::TimeUs time_us, float* columns) {
  constexpr double kDayUs = 86'400e6;
  constexpr double kTurn = 6.283185307179586;
  *columns++ = gpu::Log1p(static_cast<float>(events));
  for (const double period_us : {kDayUs, kDayUs / 2, 7 * kDayUs}) {
    const double turns = static_cast<double>(time_us) / period_us;
    const double angle = kTurn * (turns - std::floor(turns));
    *columns++ = static_cast<float>(std::sin(angle));
    *columns++ = static_cast<float>(std::cos(angle));
  }
}

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class NextTimeEvaluation {
 public:
  NextTimeEvaluation(const graph::EventBatch& events, std::int64_t node_count,
                     const NextTimeOptions& options)
      : events_(events), node_count_(node_count), options_(options) {}

  absl::StatusOr<NextTimeResult> Run();

 private:
  absl::Status Check();
  // Question ranges, as TimeSplit has event ranges.
  void SplitQuestions();
  NextTimePart PartOf(std::int64_t begin, std::int64_t end) const;
  ObservedWait WaitOf(std::int64_t question, std::int64_t part_end) const;
  void ReadRows();
  void ReadQuestion(const NextTimeQuestion& question, const float* weft_columns,
                    const WaitHistory& history, float* row) const;
  void Teach();
  void RunSeed(std::uint64_t seed);
  NextTimeFigures FiguresOf(std::span<const WaitPrediction> predictions) const;
  double MeanLogLikelihood(std::span<const WaitPrediction> predictions, std::int64_t begin,
                           std::int64_t end) const;
  void AddBaselines();

  const graph::EventBatch& events_;
  std::int64_t node_count_;
  const NextTimeOptions& options_;
  std::vector<NextTimeQuestion> questions_;
  TimeSplit split_;  // of questions
  std::optional<WaitBins> bins_;
  HeadRows rows_;
  std::vector<KnownWaits> known_;
  NextTimeResult result_;
};

void NextTimeEvaluation::SplitQuestions() {
  const auto first_of = [&](std::int64_t event) {
    return std::partition_point(questions_.begin(), questions_.end(),
                                [&](const NextTimeQuestion& q) { return q.event < event; }) -
           questions_.begin();
  };
  split_ = {.validation = first_of(result_.split.validation),
            .test = first_of(result_.split.test),
            .end = static_cast<std::int64_t>(questions_.size())};
}

// As it is known when the events [0, part_end) are.
ObservedWait NextTimeEvaluation::WaitOf(std::int64_t question, std::int64_t part_end) const {
  const NextTimeQuestion& q = questions_[static_cast<std::size_t>(question)];
  const graph::TimeUs last_us = events_.time_us[static_cast<std::size_t>(part_end - 1)];
  const bool ended = q.has_next && q.next_us <= last_us;
  const graph::TimeUs from_us = events_.time_us[static_cast<std::size_t>(q.event)];
  const auto us =
      static_cast<std::uint64_t>(ended ? q.next_us : last_us) - static_cast<std::uint64_t>(from_us);
  return {.seconds = 1e-6 * static_cast<double>(us), .ended = ended};
}

NextTimePart NextTimeEvaluation::PartOf(std::int64_t begin, std::int64_t end) const {
  NextTimePart part = {.questions = end - begin};
  const std::int64_t event_end = end == split_.validation ? result_.split.validation
                                 : end == split_.test     ? result_.split.test
                                                          : result_.split.end;
  for (std::int64_t i = begin; i < end; ++i) part.ended += WaitOf(i, event_end).ended ? 1 : 0;
  return part;
}

absl::Status NextTimeEvaluation::Check() {
  if (options_.bins < 2 || options_.epochs < 1 || options_.seeds.empty())
    return absl::InvalidArgumentError("expected at least 2 bins, 1 epoch and 1 seed");
  result_.split = SplitByTime(events_.time_us);
  questions_ = NextTimeQuestions(events_, options_.of_pair);
  SplitQuestions();
  if (split_.validation == 0 || split_.validation == split_.test || split_.test == split_.end)
    return absl::InvalidArgumentError(
        "expected events in all of train, validation and test (cut at the 70 % and 85 % quantiles "
        "of the times)");
  result_.train = PartOf(0, split_.validation);
  result_.validation = PartOf(split_.validation, split_.test);
  result_.test = PartOf(split_.test, split_.end);
  if (result_.train.ended == 0 || result_.test.ended == 0)
    return absl::InvalidArgumentError(
        graph::Concat("expected a ", options_.of_pair ? "pair" : "source",
                      " with events at two times in train and in test, got ", result_.train.ended,
                      " and ", result_.test.ended, " waits"));
  return absl::OkStatus();
}

void NextTimeEvaluation::ReadQuestion(const NextTimeQuestion& question, const float* weft_columns,
                                      const WaitHistory& history, float* row) const {
  const auto e = static_cast<std::size_t>(question.event);
  row = std::copy_n(weft_columns, kWeftColumnCount, row);
  history.Read(events_.source[e], events_.target[e], events_.time_us[e], row);
  row += kWaitColumns;
  ReadMoment(question.events, events_.time_us[e], row);
  row += kMomentColumns;
  const auto width = static_cast<std::size_t>(events_.feature_count);
  for (std::size_t k = 0; k < width; ++k) row[k] = ScaledFeature(events_.feature[e * width + k]);
}

// The columns of weft are as before the time of the event, those of waits as after it: that the
// own moment has come is known.
void NextTimeEvaluation::ReadRows() {
  const double begin_seconds = learn::ProcessCpuSeconds();
  const RecordOwner owner = options_.of_pair ? RecordOwner::kPair : RecordOwner::kSourceSent;
  rows_.columns = kWeftColumnCount + kWaitColumns + kMomentColumns + events_.feature_count;
  rows_.logits = bins_->size() - 1;
  rows_.Resize(split_.end);
  known_.resize(questions_.size());
  const std::int64_t nodes = std::max<std::int64_t>(1, node_count_);
  WeftColumns columns({.table = {.max_nodes = nodes}}, gpu::HostExec{});
  WaitHistory history({.max_nodes = nodes, .max_pairs = events_.size()});
  std::vector<float> group;
  std::size_t next = 0;
  for (std::int64_t begin = 0, end = 0; begin < events_.size(); begin = end) {
    const auto time_us = events_.time_us[static_cast<std::size_t>(begin)];
    while (end < events_.size() && events_.time_us[static_cast<std::size_t>(end)] == time_us) ++end;
    group.resize(static_cast<std::size_t>((end - begin) * kWeftStride));
    columns.Advance(graph::EventSpan::Of(events_, begin, end), group.data(), kWeftStride);
    for (auto e = static_cast<std::size_t>(begin); e < static_cast<std::size_t>(end); ++e)
      history.Observe(events_.source[e], events_.target[e], time_us);
    for (; next < questions_.size() && questions_[next].event < end; ++next) {
      const NextTimeQuestion& question = questions_[next];
      const auto e = static_cast<std::size_t>(question.event);
      ReadQuestion(question, group.data() + (question.event - begin) * kWeftStride, history,
                   rows_.Row(static_cast<std::int64_t>(next)));
      known_[next] = {.own = history.Of(owner, events_.source[e], events_.target[e]),
                      .all = history.AllOf(owner)};
    }
    if (options_.progress && begin % 4096 == 0) options_.progress("reading", begin, events_.size());
  }
  result_.columns = rows_.columns;
  result_.read_cpu_seconds = learn::ProcessCpuSeconds() - begin_seconds;
}

// Each logit answers whether a wait that reached its bin ends there; what lies behind the end of
// the part is not known.
void NextTimeEvaluation::Teach() {
  const std::int64_t logits = rows_.logits;
  for (std::int64_t i = 0; i < split_.test; ++i) {
    const bool train = i < split_.validation;
    const ObservedWait wait = WaitOf(i, train ? result_.split.validation : result_.split.test);
    const std::int64_t bin = bins_->BinOf(wait.seconds);
    float* answer = rows_.answer.data() + i * logits;
    float* weight = rows_.weight.data() + i * logits;
    std::fill_n(weight, std::min(bin, logits), 1.0f);
    if (wait.ended && bin < logits) answer[bin] = weight[bin] = 1.0f;
  }
}

double NextTimeEvaluation::MeanLogLikelihood(std::span<const WaitPrediction> predictions,
                                             std::int64_t begin, std::int64_t end) const {
  const std::int64_t part_end = end == split_.test ? result_.split.test : result_.split.end;
  double sum = 0.0;
  for (std::int64_t i = begin; i < end; ++i) {
    const ObservedWait wait = WaitOf(i, part_end);
    sum += bins_->LogLikelihood(predictions[static_cast<std::size_t>(i - begin)].survival,
                                wait.seconds, wait.ended);
  }
  return sum / static_cast<double>(end - begin);
}

NextTimeFigures NextTimeEvaluation::FiguresOf(std::span<const WaitPrediction> predictions) const {
  std::vector<double> orders;
  for (std::int64_t i = split_.test; i < split_.end; ++i) {
    const ObservedWait wait = WaitOf(i, result_.split.end);
    if (!wait.ended) continue;
    const double median = predictions[static_cast<std::size_t>(i - split_.test)].median;
    orders.push_back(std::abs(std::log10(median / wait.seconds)));
  }
  return {.log_likelihood = MeanLogLikelihood(predictions, split_.test, split_.end),
          .median_error_log10 = MedianOf(std::move(orders))};
}

void NextTimeEvaluation::RunSeed(std::uint64_t seed) {
  const double begin_seconds = learn::ProcessCpuSeconds();
  const HeadTrainingResult trained =
      TrainHead(rows_, split_.validation, split_.test,
                {.seed = seed, .epochs = options_.epochs, .progress = options_.progress});
  const auto logits = static_cast<std::size_t>(rows_.logits);
  std::vector<WaitPrediction> predictions;
  for (std::int64_t i = split_.test; i < split_.end; ++i) {
    const auto at = static_cast<std::size_t>(i - split_.validation) * logits;
    WaitPrediction prediction;
    double survival = 1.0;
    for (std::size_t l = 0; l < logits; ++l) {
      survival /= 1.0 + std::exp(static_cast<double>(trained.logits[at + l]));
      prediction.survival.push_back(survival);
    }
    prediction.median = bins_->Median(prediction.survival);
    predictions.push_back(std::move(prediction));
  }
  const NextTimeFigures figures = FiguresOf(predictions);
  if (result_.median.empty())
    for (const WaitPrediction& prediction : predictions)
      result_.median.push_back(prediction.median);
  const auto seeds = static_cast<double>(options_.seeds.size());
  result_.figures.log_likelihood += figures.log_likelihood / seeds;
  result_.figures.median_error_log10 += figures.median_error_log10 / seeds;
  result_.log_likelihood_by_seed.push_back(figures.log_likelihood);
  result_.validation_loss.push_back(trained.validation_loss);
  result_.best_epoch.push_back(trained.best_epoch);
  result_.parameters = trained.parameters;
  result_.learn_cpu_seconds += learn::ProcessCpuSeconds() - begin_seconds;
}

void NextTimeEvaluation::AddBaselines() {
  const WaitPrediction marginal = MarginalPrediction(rows_, split_.validation, *bins_);
  const std::vector<WaitPrediction> same(static_cast<std::size_t>(split_.end - split_.test),
                                         marginal);
  result_.baselines.push_back({.name = "marginal", .prior = 0.0, .figures = FiguresOf(same)});
  for (const auto& [name, predict] : {std::pair("exponential", &ExponentialPrediction),
                                      std::pair("lognormal", &LogNormalPrediction)}) {
    const auto predictions = [&, predict = predict](std::int64_t begin, std::int64_t end,
                                                    double prior) {
      std::vector<WaitPrediction> made;
      for (std::int64_t i = begin; i < end; ++i)
        made.push_back(predict(known_[static_cast<std::size_t>(i)], prior, *bins_));
      return made;
    };
    double best = 0.0, best_likelihood = -std::numeric_limits<double>::infinity();
    for (const double prior : {0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0}) {
      const double likelihood = MeanLogLikelihood(
          predictions(split_.validation, split_.test, prior), split_.validation, split_.test);
      if (likelihood <= best_likelihood) continue;
      best_likelihood = likelihood;
      best = prior;
    }
    result_.baselines.push_back({.name = name,
                                 .prior = best,
                                 .figures = FiguresOf(predictions(split_.test, split_.end, best))});
  }
}

absl::StatusOr<NextTimeResult> NextTimeEvaluation::Run() {
  WEFT_TRY(Check());
  std::vector<double> waits;
  for (std::int64_t i = 0; i < split_.validation; ++i) {
    const ObservedWait wait = WaitOf(i, result_.split.validation);
    if (wait.ended) waits.push_back(wait.seconds);
  }
  bins_.emplace(std::move(waits), options_.bins);
  if (bins_->size() < 2)
    return absl::InvalidArgumentError("expected waits of different lengths, got one length");
  result_.edges.assign(bins_->edges().begin(), bins_->edges().end());
  ReadRows();
  Teach();
  for (const std::uint64_t seed : options_.seeds) RunSeed(seed);
  if (options_.seeds.size() > 1) {
    double squares = 0.0;
    for (const double found : result_.log_likelihood_by_seed)
      squares +=
          (found - result_.figures.log_likelihood) * (found - result_.figures.log_likelihood);
    result_.log_likelihood_stddev =
        std::sqrt(squares / static_cast<double>(options_.seeds.size() - 1));
  }
  AddBaselines();
  return std::move(result_);
}

}  // namespace

std::vector<NextTimeQuestion> NextTimeQuestions(const graph::EventBatch& events, bool of_pair) {
  const auto key_of = [&](std::size_t e) {
    return std::uint64_t{events.source[e]} << 32 | (of_pair ? events.target[e] : 0);
  };
  // From the end on, by owner: the earliest moment so far, and its question.
  struct Moment {
    graph::TimeUs time_us;
    std::size_t question;
  };
  std::unordered_map<std::uint64_t, Moment> following;
  std::vector<NextTimeQuestion> questions;
  for (std::size_t e = events.source.size(); e-- > 0;) {
    const graph::TimeUs time_us = events.time_us[e];
    const auto [found, fresh] = following.try_emplace(key_of(e), Moment{time_us, 0});
    if (!fresh && found->second.time_us == time_us) {
      ++questions[found->second.question].events;
      continue;
    }
    questions.push_back({.event = static_cast<std::int64_t>(e),
                         .events = 1,
                         .next_us = fresh ? 0 : found->second.time_us,
                         .has_next = !fresh});
    found->second = {time_us, questions.size() - 1};
  }
  std::reverse(questions.begin(), questions.end());
  return questions;
}

absl::StatusOr<NextTimeResult> EvaluateNextTime(const graph::EventBatch& events,
                                                std::int64_t node_count,
                                                const NextTimeOptions& options) {
  return NextTimeEvaluation(events, node_count, options).Run();
}

}  // namespace weft::operators::link
