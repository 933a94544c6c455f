#include <algorithm>
#include <chrono>
#include <limits>

#include "graph/check.h"
#include "rpc/graph_host.h"
#include "rpc/logging.h"

namespace weft::rpc {

using graph::LogPosition;

namespace {

// Entries of the log that are taken in before anybody looks whether the host is to stop.
constexpr std::uint64_t kHistoryStep = 524'288;

void LogFailure(const absl::Status& status) {
  Log(LogLevel::kError, "history cannot be written",
      {{"error", status.ToString(absl::StatusToStringMode::kWithNoExtraData)}});
}

}  // namespace

const storage::History* GraphHost::history() const {
  return options_.config.history().enabled() ? &directory_->history() : nullptr;
}

// Towards history_end_, which is empty once that is reached.
absl::Status GraphHost::TakeInHistory(int max_steps) {
  if (history() == nullptr) return absl::OkStatus();
  int steps = 0;
  for (const LogPosition& end : history_end_) {
    while (true) {
      WEFT_ASSIGN(const std::uint64_t begin, history()->NeededFrom(end.feed));
      if (begin >= end.offset) break;
      if (steps++ == max_steps) return absl::OkStatus();
      {
        const std::scoped_lock lock(mutex_);
        if (stopping_) return absl::OkStatus();
      }
      const std::uint64_t step_end = std::min(end.offset, begin + kHistoryStep);
      WEFT_TRY(directory_->history().TakeIn({end.partition, end.feed, step_end}));
    }
  }
  history_end_.clear();
  return absl::OkStatus();
}

// A history that cannot be written keeps the log from being trimmed and harms nothing else.
void GraphHost::FollowWithHistory(const std::vector<LogPosition>& applied) {
  history_end_ = applied;
  const auto start = std::chrono::steady_clock::now();
  const absl::Status status = TakeInHistory(std::numeric_limits<int>::max());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  environment_.metrics
      ->GetHistogram("weft_history_duration_seconds",
                     "Time to take the log into the history of nodes after a checkpoint.")
      .Observe(taken.count());
  if (!status.ok()) LogFailure(status);
}

// A data directory that had no history, or not all of it, gets it while the host serves.
void GraphHost::CatchUpHistory() {
  const std::unique_lock lock(checkpoint_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // a checkpoint takes care of it
  const absl::Status status = TakeInHistory(1);
  if (status.ok()) return;
  LogFailure(status);
  history_end_.clear();  // until the next checkpoint
}

}  // namespace weft::rpc
