#include "operators/link/pooled_training.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

// One file on its way through its own state.
class Course {
 public:
  Course(const PooledFile& file, std::unique_ptr<LinkModel> model,
         const PooledTrainingOptions& options)
      : model_(std::move(model)),
        negatives_(*file.events),
        stream_(*model_, negatives_, options.batch, nullptr),
        options_(options) {
    part_.events = file.events;
    part_.end = std::min(file.events->size(), options.file_events);
    negatives_.AddTargets(0, part_.end);
    part_.pool_size = negatives_.pool_size();
  }

  double done() const { return static_cast<double>(at_) / static_cast<double>(part_.end); }
  std::int64_t event_count() const { return part_.end; }
  LinkModel& model() { return *model_; }
  std::unique_ptr<LinkModel> TakeModel() { return std::move(model_); }

  void Restart() {
    model_->ResetState();
    at_ = 0;
  }

  // Returns the CPU seconds of the next step; `progress` is that of the whole training.
  double Step(std::int32_t epoch, double progress) {
    LinkPart step = part_;
    step.begin = at_;
    step.end = LinkStepEnd(*part_.events, at_, part_.end, options_.batch, model_->reads());
    at_ = step.end;
    stream_.SetTrainingSpan(progress, progress);
    return stream_.Run(step, LinkStream::Mode::kLearn,
                       PhaseSeed(options_.training.seed, LinkPhase::kTrain, epoch), "", nullptr);
  }

 private:
  std::unique_ptr<LinkModel> model_;
  NegativeTargets negatives_;
  LinkStream stream_;
  const PooledTrainingOptions& options_;
  LinkPart part_;
  std::int64_t at_ = 0;
};

absl::Status HandOver(const LinkModel& from, LinkModel& to) {
  MemoryCheckpoint weights;
  WEFT_TRY(from.SaveWeights(weights));
  MemoryCheckpointReader reader(weights);
  return to.LoadWeights(reader);
}

}  // namespace

absl::StatusOr<PooledTrainingResult> TrainOnFiles(const LinkModelFactory& factory,
                                                  std::span<const PooledFile> files,
                                                  const PooledTrainingOptions& options) {
  if (files.empty()) return absl::InvalidArgumentError("expected a file of events");
  std::vector<std::unique_ptr<Course>> courses;
  for (const PooledFile& file : files) {
    if (file.events->size() == 0)
      return absl::InvalidArgumentError("expected events in every file, got none");
    LinkModelRequest request;
    request.seed = options.training.seed;
    request.node_count = file.node_count;
    request.event_count = file.events->size();
    request.batch = options.batch;
    request.learns = true;
    WEFT_ASSIGN(std::unique_ptr<LinkModel> model, factory(request));
    courses.push_back(std::make_unique<Course>(file, std::move(model), options));
  }
  PooledTrainingResult result;
  Course* last = courses.front().get();
  const std::int32_t epochs = options.training.epochs;
  for (std::int32_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& course : courses) course->Restart();
    while (true) {
      // Whoever has the largest part of its way before it.
      Course& next =
          **std::min_element(courses.begin(), courses.end(),
                             [](const auto& a, const auto& b) { return a->done() < b->done(); });
      if (next.done() >= 1.0) break;
      if (&next != last) WEFT_TRY(HandOver(last->model(), next.model()));
      last = &next;
      if (options.progress)
        options.progress(graph::Concat("epoch ", epoch + 1),
                         static_cast<std::int64_t>(1000.0 * next.done()), 1000);
      result.train_cpu_seconds += next.Step(epoch, (epoch + next.done()) / epochs);
    }
    for (const auto& course : courses) result.train_events += course->event_count();
  }
  result.model = last->TakeModel();
  return result;
}

}  // namespace weft::operators::link
