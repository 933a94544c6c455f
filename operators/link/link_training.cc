#include "operators/link/link_training.h"

#include <algorithm>
#include <cmath>

#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/process_cost.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

// The model as it was after an epoch.
struct Snapshot {
  MemoryCheckpoint weights;
  MemoryCheckpoint state;

  absl::Status Take(const LinkModel& model) {
    weights.Clear();
    state.Clear();
    WEFT_TRY(model.SaveWeights(weights));
    return model.SaveState(state);
  }
  absl::Status Restore(LinkModel& model) const {
    MemoryCheckpointReader weights_reader(weights);
    WEFT_TRY(model.LoadWeights(weights_reader));
    MemoryCheckpointReader state_reader(state);
    return model.LoadState(state_reader);
  }
};

}  // namespace

std::uint64_t PhaseSeed(std::uint64_t seed, LinkPhase phase, std::int32_t epoch) {
  return gpu::CounterHash(seed, static_cast<std::uint64_t>(phase),
                          static_cast<std::uint64_t>(epoch));
}

std::int64_t LinkStepEnd(const graph::EventBatch& events, std::int64_t begin, std::int64_t end,
                         std::int32_t batch, LinkReads reads) {
  if (end - begin <= batch) return end;
  std::int64_t step_end = begin + batch;
  if (reads != LinkReads::kBeforeTime) return step_end;
  const graph::TimeUs last_us = events.time_us[static_cast<std::size_t>(step_end - 1)];
  while (step_end < end && events.time_us[static_cast<std::size_t>(step_end)] == last_us)
    ++step_end;
  return step_end;
}

LinkStream::LinkStream(LinkModel& model, const NegativeTargets& negatives, std::int32_t batch,
                       LinkProgress progress)
    : model_(model), negatives_(negatives), batch_(batch), progress_(std::move(progress)) {}

double LinkStream::Run(const LinkPart& part, Mode mode, std::uint64_t negative_seed,
                       std::string_view phase, PartScores* scores) {
  constexpr std::int64_t kProgressEvents = 4096;
  const double begin_seconds = learn::ProcessCpuSeconds();
  std::int64_t next_progress = part.begin;
  for (std::int64_t begin = part.begin; begin < part.end;) {
    const std::int64_t end = LinkStepEnd(*part.events, begin, part.end, batch_, model_.reads());
    if (progress_ && begin >= next_progress) {
      progress_(phase, begin - part.begin, part.size());
      next_progress = begin + kProgressEvents;
    }
    const auto count = static_cast<std::size_t>(end - begin);
    negative_.resize(mode == Mode::kObserve ? 0 : count);
    for (std::size_t i = 0; i < negative_.size(); ++i) {
      const auto row = static_cast<std::size_t>(begin) + i;
      const auto index =
          part.file_index.empty() ? static_cast<std::int64_t>(row) : part.file_index[row];
      negative_[i] = negatives_.Draw(negative_seed, index, part.pool_size);
    }
    if (mode == Mode::kLearn) {
      const double done =
          static_cast<double>(begin - part.begin) / static_cast<double>(part.size());
      model_.SetTrainingProgress(training_from_ + done * (training_to_ - training_from_));
    }
    positive_score_.resize(count);
    negative_score_.resize(negative_.size());
    model_.Advance({.events = graph::EventSpan::Of(*part.events, begin, end),
                    .negative = negative_,
                    .extra_begin = {},
                    .extra = {},
                    .learn = mode == Mode::kLearn},
                   {.positive = positive_score_, .negative = negative_score_, .extra = {}});
    if (scores != nullptr) KeepScores(*scores);
    begin = end;
  }
  if (progress_) progress_(phase, part.size(), part.size());
  return learn::ProcessCpuSeconds() - begin_seconds;
}

void LinkStream::KeepScores(PartScores& scores) const {
  for (std::size_t i = 0; i < negative_.size(); ++i) {
    if (negative_[i] == graph::kNoNode) continue;
    scores.positive.push_back(positive_score_[i].random);
    scores.negative.push_back(negative_score_[i].random);
    scores.positive_probability.push_back(positive_score_[i].probability);
    scores.negative_probability.push_back(negative_score_[i].probability);
  }
  scores.batch_end.push_back(scores.positive.size());
}

absl::StatusOr<LinkTrainingResult> TrainLinkModel(LinkModel& model, LinkStream& stream,
                                                  const LinkPart& train, const LinkPart& validation,
                                                  const LinkTrainingOptions& options) {
  LinkTrainingResult result;
  const std::int32_t epochs = model.parameter_count() == 0 ? 1 : options.epochs;
  Snapshot best;
  double best_ap = 0.0;
  std::int32_t epochs_without_gain = 0;
  for (std::int32_t epoch = 0; epoch < epochs; ++epoch) {
    const std::string phase = graph::Concat("seed ", options.seed, ", epoch ", epoch + 1);
    model.ResetState();
    stream.SetTrainingSpan(static_cast<double>(epoch) / epochs, (epoch + 1.0) / epochs);
    result.train_cpu_seconds +=
        stream.Run(train, LinkStream::Mode::kLearn,
                   PhaseSeed(options.seed, LinkPhase::kTrain, epoch), phase, nullptr);
    PartScores scores;
    result.val_cpu_seconds += stream.Run(validation, LinkStream::Mode::kScore,
                                         PhaseSeed(options.seed, LinkPhase::kValidation, 0),
                                         graph::Concat(phase, ", validation"), &scores);
    const double ap = learn::RankingOf(scores.positive, scores.negative).average_precision;
    result.validation_ap.push_back(ap);
    if (epoch == 0 || (ap - best_ap) > options.tolerance * std::abs(best_ap)) {
      best_ap = ap;
      result.best_epoch = epoch;
      epochs_without_gain = 0;
      if (epoch + 1 < epochs) WEFT_TRY(best.Take(model));
    } else if (++epochs_without_gain >= options.patience) {
      break;
    }
  }
  const auto last_epoch = static_cast<std::int32_t>(result.validation_ap.size()) - 1;
  if (result.best_epoch != last_epoch) WEFT_TRY(best.Restore(model));
  return result;
}

}  // namespace weft::operators::link
