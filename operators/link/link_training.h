// LinkTraining: epochs of a LinkModel over the train part of a file, with the best epoch by
// validation AP restored. Shared by `weft eval links` and `weft train links`.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "graph/event_batch.h"
#include "operators/link/link_model.h"
#include "operators/link/negative_targets.h"

namespace weft::operators::link {

// Events [begin, end) of a batch, and what is needed to draw their negatives.
struct LinkPart {
  const graph::EventBatch* events = nullptr;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  // Index in the whole file of each event of the batch; empty where the batch is the whole file.
  std::span<const std::int64_t> file_index = {};
  std::int64_t pool_size = 0;  // of the negatives' pool

  std::int64_t size() const { return end - begin; }
};

// Scores of a part, events without a negative left out: PairScore::random and ::probability;
// `batch_end` cuts them into the steps they came in.
struct PartScores {
  std::vector<float> positive;
  std::vector<float> negative;
  std::vector<float> positive_probability;
  std::vector<float> negative_probability;
  std::vector<std::size_t> batch_end;
};

using LinkProgress =
    std::function<void(std::string_view phase, std::int64_t done, std::int64_t total)>;

// Where the step that begins at `begin` ends: after `batch` events, or at `end`; for before_time
// behind all events of the last one's time. Parts begin and end between times.
std::int64_t LinkStepEnd(const graph::EventBatch& events, std::int64_t begin, std::int64_t end,
                         std::int32_t batch, LinkReads reads);

// Streams parts through one model in steps of `batch` events, or a few more where its reads want
// that, and counts the CPU time of the process that it takes.
class LinkStream {
 public:
  LinkStream(LinkModel& model, const NegativeTargets& negatives, std::int32_t batch,
             LinkProgress progress);

  // The part of the whole training that the next kLearn run covers.
  void SetTrainingSpan(double from, double to) {
    training_from_ = from;
    training_to_ = to;
  }

  enum class Mode { kObserve, kScore, kLearn };
  // Returns the CPU seconds. kObserve scores the events without negatives, because models may
  // prepare their update there.
  double Run(const LinkPart& part, Mode mode, std::uint64_t negative_seed, std::string_view phase,
             PartScores* scores);

 private:
  // Those of the step just made.
  void KeepScores(PartScores& scores) const;

  LinkModel& model_;
  const NegativeTargets& negatives_;
  std::int32_t batch_;
  double training_from_ = 0.0;
  double training_to_ = 1.0;
  LinkProgress progress_;
  std::vector<graph::NodeId> negative_;
  std::vector<PairScore> positive_score_;
  std::vector<PairScore> negative_score_;
};

struct LinkTrainingOptions {
  std::uint64_t seed = 1;
  std::int32_t epochs = 3;
  std::int32_t patience = 3;
  double tolerance = 1e-3;
};

struct LinkTrainingResult {
  std::vector<double> validation_ap;  // by epoch
  std::int32_t best_epoch = 0;        // from 0
  double train_cpu_seconds = 0.0;
  double val_cpu_seconds = 0.0;
};

// Negatives are new ones in every epoch, the same for validation in all of them. Leaves the model
// with the weights of the best epoch, and with the state after that epoch's validation. A model
// without parameters gets one epoch.
absl::StatusOr<LinkTrainingResult> TrainLinkModel(LinkModel& model, LinkStream& stream,
                                                  const LinkPart& train, const LinkPart& validation,
                                                  const LinkTrainingOptions& options);

// Seeds of the draws of a phase, apart from each other for every (seed, epoch).
enum class LinkPhase : std::uint64_t {
  kTrain = 1,
  kValidation = 2,
  kTest = 3,
  kHiddenNodes = 4,
  kSeen = 5,
  kHistorical = 6,
  kRankedEvents = 7,
  kCandidates = 8,
};
std::uint64_t PhaseSeed(std::uint64_t seed, LinkPhase phase, std::int32_t epoch);

}  // namespace weft::operators::link
