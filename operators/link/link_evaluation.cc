#include "operators/link/link_evaluation.h"

#include <algorithm>
#include <optional>

#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/link/memory_checkpoint.h"
#include "operators/link/online_evaluation.h"
#include "operators/link/question_draws.h"
#include "operators/link/question_pass.h"

namespace weft::operators::link {
namespace {

constexpr double kHiddenShare = 0.1;

// Events of a file that pass a test, in order, with their place in the file.
struct Selection {
  graph::EventBatch events;
  std::vector<std::int64_t> file_index;

  void Add(const graph::EventBatch& all, std::int64_t index) {
    const auto row = static_cast<std::size_t>(index);
    const auto width = static_cast<std::size_t>(all.feature_count);
    events.feature_count = all.feature_count;
    events.source.push_back(all.source[row]);
    events.target.push_back(all.target[row]);
    events.time_us.push_back(all.time_us[row]);
    if (!all.label.empty()) events.label.push_back(all.label[row]);
    const auto first = all.feature.begin() + static_cast<std::ptrdiff_t>(row * width);
    events.feature.insert(events.feature.end(), first, first + static_cast<std::ptrdiff_t>(width));
    file_index.push_back(index);
  }
};

class Evaluation {
 public:
  Evaluation(const graph::EventBatch& events, std::int64_t node_count,
             const LinkEvaluationOptions& options)
      : events_(events),
        node_count_(node_count),
        options_(options),
        split_(SplitByTime(events.time_us)),
        negatives_(events) {}

  absl::StatusOr<LinkEvaluationResult> Run();

 private:
  struct Parts {
    LinkPart train;
    LinkPart validation;
    LinkPart test;
  };

  absl::Status Check() const;
  absl::StatusOr<std::unique_ptr<LinkModel>> MakeModel(const LinkModelFactory& factory,
                                                       std::uint64_t seed,
                                                       std::optional<LinkReads> reads) const;
  absl::StatusOr<SeedFigures> EvaluateSeed(std::uint64_t seed);
  absl::StatusOr<SeedFigures> EvaluateHidden(std::uint64_t seed);
  SeedFigures LearnOnline(LinkModel& model, std::uint64_t seed, bool counts);
  void Describe(const LinkModel& model);
  absl::StatusOr<LinkFigures> EvaluateBaseline(std::string_view name);
  std::vector<bool> HiddenNodes(std::uint64_t seed) const;
  LinkTrainingOptions TrainingOptions(std::uint64_t seed) const;
  absl::StatusOr<SeedFigures> TestModel(LinkModel& model, LinkStream& stream, std::uint64_t seed,
                                        const MemoryCheckpoint& before_test, double& cpu_seconds);

  const graph::EventBatch& events_;
  std::int64_t node_count_;
  const LinkEvaluationOptions& options_;
  TimeSplit split_;
  NegativeTargets negatives_;
  std::optional<QuestionDraws> draws_;
  Parts parts_;
  LinkEvaluationResult result_;
};

absl::Status Evaluation::Check() const {
  if (options_.batch < 1 || options_.epochs < 1 || options_.seeds.empty() ||
      options_.ranked_events < 0) {
    return absl::InvalidArgumentError(
        "expected a batch and epochs of at least 1, a seed, and ranked events of at least 0");
  }
  if (split_.validation == 0 || split_.validation == split_.test || split_.test == split_.end) {
    return absl::InvalidArgumentError(
        graph::Concat("expected events in all of train, validation and test (cut at the 70 % and "
                      "85 % quantiles of the times), got ",
                      split_.validation, ", ", split_.test - split_.validation, " and ",
                      split_.end - split_.test));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LinkModel>> Evaluation::MakeModel(
    const LinkModelFactory& factory, std::uint64_t seed, std::optional<LinkReads> reads) const {
  LinkModelRequest request;
  request.seed = seed;
  request.node_count = node_count_;
  request.event_count = events_.size();
  request.feature_count = events_.feature_count;
  request.batch = options_.batch;
  request.reads = reads;
  request.threads = options_.threads;
  if (&factory == &options_.model) {
    request.slots = options_.slots;
    request.without = options_.without;
    request.start = options_.start;
  }
  request.window_us =
      events_.time_us.back() - events_.time_us[static_cast<std::size_t>(split_.test)];
  request.learns = true;
  return factory(request);
}

LinkTrainingOptions Evaluation::TrainingOptions(std::uint64_t seed) const {
  return {.seed = seed,
          .epochs = options_.epochs,
          .patience = options_.patience,
          .tolerance = options_.tolerance};
}

absl::StatusOr<SeedFigures> Evaluation::EvaluateSeed(std::uint64_t seed) {
  WEFT_ASSIGN(const std::unique_ptr<LinkModel> model,
              MakeModel(options_.model, seed, options_.reads));
  if (options_.online) {
    Describe(*model);
    result_.epochs_run.push_back(1);
    result_.validation_ap.emplace_back();
    result_.cost.test_events += parts_.test.size();
    return LearnOnline(*model, seed, true);
  }
  LinkStream stream(*model, negatives_, options_.batch, options_.progress);
  WEFT_ASSIGN(
      const LinkTrainingResult training,
      TrainLinkModel(*model, stream, parts_.train, parts_.validation, TrainingOptions(seed)));
  const auto epochs_run = static_cast<std::int32_t>(training.validation_ap.size());
  result_.epochs_run.push_back(epochs_run);
  result_.validation_ap.push_back(training.validation_ap);
  Describe(*model);
  if (options_.replay) {
    model->ResetState();
    LinkPart past = parts_.train;
    past.end = split_.test;
    stream.Run(past, LinkStream::Mode::kObserve, 0, graph::Concat("seed ", seed, ", replay"),
               nullptr);
  }
  MemoryCheckpoint before_test;
  WEFT_TRY(model->SaveState(before_test));
  WEFT_ASSIGN(SeedFigures figures,
              TestModel(*model, stream, seed, before_test, result_.cost.test_cpu_seconds));
  result_.cost.train_cpu_seconds += training.train_cpu_seconds;
  result_.cost.val_cpu_seconds += training.val_cpu_seconds;
  result_.cost.train_events += epochs_run * parts_.train.size();
  result_.cost.val_events += epochs_run * parts_.validation.size();
  result_.cost.test_events += parts_.test.size();
  return figures;
}

void Evaluation::Describe(const LinkModel& model) {
  result_.model = model.name();
  result_.parameters = model.parameter_count();
  result_.bytes_per_node = model.bytes_per_node();
  result_.dims = model.dims();
  result_.reads = model.reads();
}

SeedFigures Evaluation::LearnOnline(LinkModel& model, std::uint64_t seed, bool counts) {
  LinkPart whole = parts_.test;
  whole.begin = 0;
  if (options_.progress) options_.progress(graph::Concat("seed ", seed, ", online"), 0, 1);
  const OnlineResult online = link::EvaluateOnline(
      model, whole, split_, *draws_,
      {.seed = seed, .batch = options_.batch, .ranked_events = options_.ranked_events});
  if (counts) {
    result_.cost.online_cpu_seconds += online.cpu_seconds;
    result_.cost.online_events += online.events;
  }
  return online.figures;
}

// The random negatives from the present state, timed; then, from the same state, the harder
// questions, so that they are in no cost.
absl::StatusOr<SeedFigures> Evaluation::TestModel(LinkModel& model, LinkStream& stream,
                                                  std::uint64_t seed,
                                                  const MemoryCheckpoint& before_test,
                                                  double& cpu_seconds) {
  PartScores scores;
  cpu_seconds +=
      stream.Run(parts_.test, LinkStream::Mode::kScore, PhaseSeed(seed, LinkPhase::kTest, 0),
                 graph::Concat("seed ", seed, ", test"), &scores);
  SeedFigures figures = FiguresOf(scores, model.scores_are_probabilities());
  MemoryCheckpointReader reader(before_test);
  WEFT_TRY(model.LoadState(reader));
  const QuestionOptions options{
      .seed = seed, .batch = options_.batch, .ranked_events = options_.ranked_events};
  figures.questions = AskQuestions(model, parts_.test, *draws_, options);
  return figures;
}

// A tenth of all nodes, drawn among those that occur after the train part.
std::vector<bool> Evaluation::HiddenNodes(std::uint64_t seed) const {
  std::vector<bool> late(static_cast<std::size_t>(node_count_), false);
  for (auto i = static_cast<std::size_t>(split_.validation); i < events_.source.size(); ++i) {
    late[events_.source[i]] = late[events_.target[i]] = true;
  }
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  const std::uint64_t hidden_seed = PhaseSeed(seed, LinkPhase::kHiddenNodes, 0);
  for (std::size_t node = 0; node < late.size(); ++node) {
    if (late[node]) order.emplace_back(gpu::CounterHash(hidden_seed, node, 0), node);
  }
  std::sort(order.begin(), order.end());
  const auto wanted = static_cast<std::size_t>(kHiddenShare * static_cast<double>(node_count_));
  order.resize(std::min(order.size(), std::max<std::size_t>(wanted, 1)));
  std::vector<bool> hidden(late.size(), false);
  for (const auto& [hash, node] : order) hidden[node] = true;
  return hidden;
}

absl::StatusOr<SeedFigures> Evaluation::EvaluateHidden(std::uint64_t seed) {
  const std::vector<bool> hidden = HiddenNodes(seed);
  Selection past;
  Selection future;
  std::int64_t past_train = 0;
  for (std::int64_t i = 0; i < split_.end; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const bool touched = hidden[events_.source[row]] || hidden[events_.target[row]];
    if (i < split_.test && !touched) past.Add(events_, i);
    if (i >= split_.test && touched) future.Add(events_, i);
    if (i + 1 == split_.validation) past_train = past.events.size();
  }
  result_.inductive_test_events += future.events.size();
  if (past_train == 0 || past.events.size() == past_train || future.events.size() == 0)
    return SeedFigures{};

  NegativeTargets negatives(events_);
  LinkPart train{
      .events = &past.events, .begin = 0, .end = past_train, .file_index = past.file_index};
  LinkPart validation = train;
  validation.begin = past_train;
  validation.end = past.events.size();
  for (std::int64_t i = 0; i < past_train; ++i)
    negatives.AddTarget(past.events.target[static_cast<std::size_t>(i)]);
  train.pool_size = negatives.pool_size();
  for (const graph::NodeId target : past.events.target) negatives.AddTarget(target);
  validation.pool_size = negatives.pool_size();
  negatives.AddTargets(0, split_.end);
  const LinkPart test{.events = &future.events,
                      .begin = 0,
                      .end = future.events.size(),
                      .file_index = future.file_index,
                      .pool_size = negatives.pool_size()};

  WEFT_ASSIGN(const std::unique_ptr<LinkModel> model,
              MakeModel(options_.model, seed, options_.reads));
  LinkStream stream(*model, negatives, options_.batch, options_.progress);
  WEFT_TRY(TrainLinkModel(*model, stream, train, validation, TrainingOptions(seed)).status());
  // The hidden nodes' past counts now, as the reference has it.
  model->ResetState();
  LinkPart whole_past = parts_.train;
  whole_past.end = split_.test;
  stream.Run(whole_past, LinkStream::Mode::kObserve, 0,
             graph::Concat("seed ", seed, ", hidden nodes' past"), nullptr);
  PartScores scores;
  stream.Run(test, LinkStream::Mode::kScore, PhaseSeed(seed, LinkPhase::kTest, 0),
             graph::Concat("seed ", seed, ", hidden nodes"), &scores);
  return FiguresOf(scores, model->scores_are_probabilities());
}

absl::StatusOr<LinkFigures> Evaluation::EvaluateBaseline(std::string_view name) {
  WEFT_ASSIGN(const LinkModelFactory factory, FindLinkModel(name));
  WEFT_ASSIGN(const std::unique_ptr<LinkModel> model, MakeModel(factory, 0, result_.reads));
  if (options_.online) {
    std::vector<SeedFigures> online;
    for (const std::uint64_t seed : options_.seeds) {
      model->ResetState();
      online.push_back(LearnOnline(*model, seed, false));
    }
    return MeanOf(online);
  }
  LinkStream stream(*model, negatives_, options_.batch, nullptr);
  LinkPart past = parts_.train;
  past.end = split_.test;
  stream.Run(past, LinkStream::Mode::kObserve, 0, "", nullptr);
  MemoryCheckpoint before_test;
  WEFT_TRY(model->SaveState(before_test));
  std::vector<SeedFigures> by_seed;
  for (const std::uint64_t seed : options_.seeds) {
    MemoryCheckpointReader reader(before_test);
    WEFT_TRY(model->LoadState(reader));
    double cpu_seconds = 0.0;
    WEFT_ASSIGN(const SeedFigures figures,
                TestModel(*model, stream, seed, before_test, cpu_seconds));
    by_seed.push_back(figures);
  }
  return MeanOf(by_seed);
}

absl::StatusOr<LinkEvaluationResult> Evaluation::Run() {
  WEFT_TRY(Check());
  result_.split = split_;
  parts_.train = {.events = &events_, .begin = 0, .end = split_.validation};
  parts_.validation = {.events = &events_, .begin = split_.validation, .end = split_.test};
  parts_.test = {.events = &events_, .begin = split_.test, .end = split_.end};
  for (LinkPart* part : {&parts_.train, &parts_.validation, &parts_.test}) {
    negatives_.AddTargets(part->begin, part->end);
    part->pool_size = negatives_.pool_size();
  }
  draws_.emplace(events_, negatives_);
  std::vector<SeedFigures> test;
  std::vector<SeedFigures> inductive;
  for (const std::uint64_t seed : options_.seeds) {
    WEFT_ASSIGN(const SeedFigures figures, EvaluateSeed(seed));
    test.push_back(figures);
  }
  result_.cost.peak_rss_bytes = learn::PeakResidentBytes();
  if (options_.inductive && !options_.online) {
    for (const std::uint64_t seed : options_.seeds) {
      WEFT_ASSIGN(const SeedFigures figures, EvaluateHidden(seed));
      inductive.push_back(figures);
    }
    result_.inductive = MeanOf(inductive);
  }
  result_.test = MeanOf(test);
  for (const char* name : {"edgebank", "edgebank_window", "recency"}) {
    WEFT_ASSIGN(LinkFigures figures, EvaluateBaseline(name));
    result_.baselines.emplace_back(name, std::move(figures));
  }
  return std::move(result_);
}

}  // namespace

absl::StatusOr<LinkEvaluationResult> EvaluateLinks(const graph::EventBatch& events,
                                                   std::int64_t node_count,
                                                   const LinkEvaluationOptions& options) {
  return Evaluation(events, node_count, options).Run();
}

}  // namespace weft::operators::link
