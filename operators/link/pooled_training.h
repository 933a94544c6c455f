// PooledTraining: one set of weights from several files, none of which it shall forget for another:
// steps of all files take turns, each file with its own state, so that all of them end together.
// Makes the weights that the program comes with (warm_start.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"

namespace weft::operators::link {

// Events of one file in time order, ids below node_count.
struct PooledFile {
  const graph::EventBatch* events = nullptr;
  std::int64_t node_count = 0;
};

struct PooledTrainingOptions {
  LinkTrainingOptions training;  // seed and epochs
  std::int32_t batch = 32;       // events of a step, about
  std::int64_t file_events =
      60'000;             // of a file, the first ones at most: large ones do not drown small ones
  LinkProgress progress;  // may be empty
};

struct PooledTrainingResult {
  std::unique_ptr<LinkModel> model;  // with the weights, and the state of one of the files
  std::int64_t train_events = 0;     // counted every epoch
  double train_cpu_seconds = 0.0;
};

// INVALID_ARGUMENT without a file or for one without events; a model's own errors as they come.
absl::StatusOr<PooledTrainingResult> TrainOnFiles(const LinkModelFactory& factory,
                                                  std::span<const PooledFile> files,
                                                  const PooledTrainingOptions& options);

}  // namespace weft::operators::link
