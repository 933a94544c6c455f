// The protocol of `weft eval links`: split by time, one negative an event, state streamed on
// through validation and test, epochs with the best one restored; then the test part once more,
// from the state at its begin, against harder negatives. See docs/evaluation.md.
//
// Everything is deterministic in (events, options) except the costs. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/link/link_figures.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"
#include "operators/link/time_split.h"

namespace weft::operators::link {

struct LinkEvaluationOptions {
  LinkModelFactory model;
  std::int32_t epochs = 3;
  std::vector<std::uint64_t> seeds = {1};
  std::int32_t batch = 32;           // B of before_batch(B); otherwise events of a step, about
  std::optional<LinkReads> reads;    // of the model and of the baselines; none: as the model has it
  std::int32_t slots = 0;            // as in LinkModelRequest
  std::vector<std::string> without;  // as in LinkModelRequest
  std::string start;                 // as in LinkModelRequest
  bool online = false;               // one pass that learns (online_evaluation.h); no epochs
  std::int32_t threads = 1;          // handed to the model
  // Early stop after this many epochs without a gain of the validation AP over `tolerance`
  // (relative).
  std::int32_t patience = 3;
  double tolerance = 1e-3;
  // Stream train and validation once more with the final weights before the test, instead of going
  // on from the state that was made while they still moved.
  bool replay = false;
  bool inductive = true;  // also train with a tenth of the nodes hidden
  // Test events that are ranked among candidates, at most; 0 for none.
  std::int64_t ranked_events = 1000;
  // May be empty. `phase` is "seed 1, epoch 2"; `done` and `total` count events of that phase.
  LinkProgress progress;
};

struct LinkCost {
  double train_cpu_seconds = 0.0;  // user + system of the process, over all seeds and epochs
  double val_cpu_seconds = 0.0;
  double test_cpu_seconds = 0.0;
  std::int64_t train_events = 0;  // counted every epoch
  std::int64_t val_events = 0;
  std::int64_t test_events = 0;
  double online_cpu_seconds = 0.0;  // of the events between the first twentieth and the test part
  std::int64_t online_events = 0;
  std::int64_t peak_rss_bytes = 0;
};

struct LinkEvaluationResult {
  TimeSplit split;
  std::string model;
  LinkReads reads = LinkReads::kBeforeBatch;
  std::int64_t parameters = 0;
  std::int64_t bytes_per_node = 0;
  std::vector<std::pair<std::string, std::int64_t>> dims;
  std::vector<std::int32_t> epochs_run;            // by seed
  std::vector<std::vector<double>> validation_ap;  // by seed and epoch
  LinkFigures test;
  LinkFigures inductive;
  std::int64_t inductive_test_events = 0;
  std::vector<std::pair<std::string, LinkFigures>> baselines;  // edgebank, edgebank_window, recency
  LinkCost cost;
};

// `events` in time order, ids below `node_count`. INVALID_ARGUMENT when a part of the split is
// empty or an option is out of range; a model's own errors as they come.
absl::StatusOr<LinkEvaluationResult> EvaluateLinks(const graph::EventBatch& events,
                                                   std::int64_t node_count,
                                                   const LinkEvaluationOptions& options);

}  // namespace weft::operators::link
