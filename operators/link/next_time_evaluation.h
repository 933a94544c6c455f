// The protocol of `weft eval next_time`: how long until the source of an event, or its pair, has
// its next event, said as a distribution once the events of that time are known. See
// docs/evaluation.md.
//
// Everything is deterministic in (events, options) except the costs. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/link/link_training.h"
#include "operators/link/time_split.h"

namespace weft::operators::link {

struct NextTimeOptions {
  bool of_pair = false;  // of the pair, instead of the source
  std::int32_t bins = 32;
  std::int32_t epochs = 5;
  std::vector<std::uint64_t> seeds = {1};
  LinkProgress progress;  // may be empty
};

// A moment: all events of one source, or pair, at one time. Its wait ends at the next one.
struct NextTimeQuestion {
  std::int64_t event = 0;   // the moment's last one in the file
  std::int32_t events = 0;  // of the moment
  std::int64_t next_us = 0;
  bool has_next = false;  // in the file
};
// Of all events, in order of time.
std::vector<NextTimeQuestion> NextTimeQuestions(const graph::EventBatch& events, bool of_pair);

struct NextTimePart {
  std::int64_t questions = 0;
  std::int64_t ended = 0;  // whose wait ended within the part or before it is over
};

// Of the test part.
struct NextTimeFigures {
  // Mean over all waits of the log probability of the bin, or of having lasted that long
  // (WaitBins::LogLikelihood).
  double log_likelihood = 0.0;
  // Of the waits that ended: the median distance between the predicted median and the wait, in
  // decimal orders of magnitude.
  double median_error_log10 = 0.0;
};

struct NextTimeBaseline {
  std::string name;
  double prior = 0.0;  // waits, by the likelihood of the validation part
  NextTimeFigures figures;
};

struct NextTimeResult {
  TimeSplit split;
  NextTimePart train, validation, test;
  std::vector<double> edges;  // of the bins, in seconds
  std::int32_t columns = 0;
  std::int64_t parameters = 0;
  NextTimeFigures figures;  // mean over seeds
  std::vector<double> log_likelihood_by_seed;
  double log_likelihood_stddev = 0.0;                // sample deviation, 0 for one seed
  std::vector<std::vector<double>> validation_loss;  // by seed and epoch: - mean log likelihood
  std::vector<std::int32_t> best_epoch;              // by seed, from 0
  std::vector<double> median;               // of the test questions by the first seed, in seconds
  std::vector<NextTimeBaseline> baselines;  // marginal, exponential, lognormal
  double read_cpu_seconds = 0.0;
  double learn_cpu_seconds = 0.0;
};

// `events` in time order, ids below `node_count`. INVALID_ARGUMENT when a part of the split is
// empty, or no wait ended in train or test. All columns are held at once, about 0.7 KB a question.
absl::StatusOr<NextTimeResult> EvaluateNextTime(const graph::EventBatch& events,
                                                std::int64_t node_count,
                                                const NextTimeOptions& options);

}  // namespace weft::operators::link
