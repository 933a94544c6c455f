// PredictorChoice: which link predictor answers a request that names none: the graph's first that
// learns, unless the graph's evaluation says that another is better on this feed.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "operators/link/link_evaluation_reader.h"
#include "rpc/graph_host.h"

namespace weft::rpc {

// The choice is the evaluation's; this asks for it, and puts into the log what has changed since
// the last request. Thread rule: any thread.
class PredictorChoice {
 public:
  // `host` outlives this.
  explicit PredictorChoice(GraphHost* host) : host_(*host) {}

  // As of now. FAILED_PRECONDITION if the graph has no link predictor; waits for the evaluation at
  // most `left_us`, DEADLINE_EXCEEDED then.
  absl::StatusOr<operators::link::LinkChoice> Choose(operators::link::LinkQuestion question,
                                                     std::int64_t left_us);

 private:
  void LogChange(operators::link::LinkQuestion question, const operators::link::LinkChoice& choice);

  GraphHost& host_;
  std::mutex mutex_;
  std::string pairs_by_;    // who answered last; guarded by mutex_
  std::string targets_by_;  // the same
};

}  // namespace weft::rpc
