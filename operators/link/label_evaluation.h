// The protocol of `weft eval labels`: whether an event will be one of a kind (an attack, a ban, a
// bad rating), said from what is known before it: the columns of `weft` for its pair, the labels
// that came before, and its own features if asked. See docs/evaluation.md.
//
// Everything is deterministic in (events, options) except the costs. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/link/link_reads.h"
#include "operators/link/link_training.h"
#include "operators/link/time_split.h"

namespace weft::operators::link {

// Which events count as positive.
struct LabelRule {
  enum class Side { kAbove, kBelow, kEqual };
  std::int32_t feature = -1;  // -1: the label itself
  Side side = Side::kAbove;
  float value = 0.0f;

  bool Holds(float x) const {
    return side == Side::kAbove ? x > value : side == Side::kBelow ? x < value : x == value;
  }
};
// "label > 0", "f0 < 0".
std::string DescribeLabelRule(const LabelRule& rule);
// By event. INVALID_ARGUMENT if the file lacks the column.
absl::StatusOr<std::vector<bool>> ApplyLabelRule(const graph::EventBatch& events,
                                                 const LabelRule& rule);

struct LabelEvaluationOptions {
  LabelRule rule;
  // Whether an event's own features are known when it is scored; the one of the rule never is.
  bool features = true;
  LinkReads reads = LinkReads::kBeforeTime;  // of the state, and of earlier labels
  std::int32_t batch = 32;                   // B of before_batch(B)
  std::int32_t epochs = 5;
  std::vector<std::uint64_t> seeds = {1};
  LinkProgress progress;  // may be empty
};

// Of the test part.
struct LabelFigures {
  double ap = 0.0;
  double auc = 0.0;
  double log_loss = 0.0;  // mean of -log p of what came; p in [1e-7, 1 - 1e-7]
  double calibration_error = 0.0;
};

struct LabelBaseline {
  std::string name;
  double prior = 0.0;  // of its rate, by the loss on the validation part
  LabelFigures figures;
};

struct LabelPart {
  std::int64_t events = 0;
  std::int64_t positives = 0;
};

struct LabelEvaluationResult {
  TimeSplit split;
  LabelPart train, validation, test;
  std::vector<std::int32_t> features;  // that were read
  std::int32_t columns = 0;
  std::int64_t parameters = 0;
  LabelFigures figures;      // mean over seeds
  std::vector<float> score;  // of the test events, by the first seed: probabilities of a positive
  std::vector<double> ap_by_seed;
  double ap_stddev = 0.0;                            // sample deviation, 0 for one seed
  std::vector<std::vector<double>> validation_loss;  // by seed and epoch
  std::vector<std::int32_t> best_epoch;              // by seed, from 0
  std::vector<LabelBaseline> baselines;  // base_rate, source_rate, target_rate, pair_rate
  double read_cpu_seconds = 0.0;         // of the columns of all events
  double learn_cpu_seconds = 0.0;        // of all seeds, scoring included
};

// `events` in time order, ids below `node_count`. INVALID_ARGUMENT without the column, when a part
// of the split is empty, or when train or test do not have both answers. All events' columns are
// held at once, about 0.7 KB an event.
absl::StatusOr<LabelEvaluationResult> EvaluateLabels(const graph::EventBatch& events,
                                                     std::int64_t node_count,
                                                     const LabelEvaluationOptions& options);

}  // namespace weft::operators::link
