#include "rpc/checkpoint_policy.h"

#include <algorithm>

#include "graph/clock.h"

namespace weft::rpc {
namespace {

// Until something has been measured; slower than any graph we know, so the first checkpoints come
// early.
constexpr double kAssumedEntriesPerSecond = 20'000.0;
// Cut before the limit, because entries go on coming in while the checkpoint is written.
constexpr double kMargin = 0.6;
// Checkpoints may take this part of the time, as long as the replay limit can be kept.
constexpr double kTimeShareMax = 0.2;
// The pause after a checkpoint takes at most this part of the replay limit. A cut's duration is
// mostly the wait behind queued packets, which costs nothing, and the limit is a promise.
constexpr double kPauseShareMax = 0.3;
constexpr double kSmoothing = 0.2;

}  // namespace

CheckpointPolicy::CheckpointPolicy(double max_replay_seconds, std::uint64_t applied_count)
    : max_replay_seconds_(max_replay_seconds),
      entries_per_second_(kAssumedEntriesPerSecond),
      contained_count_(applied_count) {}

void CheckpointPolicy::Learn(double entries_per_second) {
  entries_per_second_ += kSmoothing * (entries_per_second - entries_per_second_);
}

void CheckpointPolicy::Replayed(std::uint64_t entry_count, double seconds) {
  contained_count_ -= std::min(contained_count_, entry_count);
  // Too short a replay measures the start of threads.
  if (seconds > 0.1) entries_per_second_ = static_cast<double>(entry_count) / seconds;
}

void CheckpointPolicy::Observe(std::int64_t now_ns, std::uint64_t applied_count, bool backlog) {
  if (backlog && seen_backlog_ && now_ns > seen_ns_ && applied_count > seen_count_) {
    const double seconds = static_cast<double>(now_ns - seen_ns_) / graph::kNanosecondsPerSecond;
    Learn(static_cast<double>(applied_count - seen_count_) / seconds);
  }
  seen_ns_ = now_ns;
  seen_count_ = applied_count;
  seen_backlog_ = backlog;
}

double CheckpointPolicy::ReplaySeconds(std::uint64_t durable_count) const {
  const std::uint64_t entries = durable_count - std::min(durable_count, contained_count_);
  return static_cast<double>(entries) / entries_per_second_;
}

bool CheckpointPolicy::Due(std::int64_t now_ns, std::uint64_t durable_count) const {
  return now_ns >= not_before_ns_ && ReplaySeconds(durable_count) > kMargin * max_replay_seconds_;
}

void CheckpointPolicy::Cut(std::int64_t now_ns, std::int64_t duration_ns,
                           std::uint64_t applied_count) {
  contained_count_ = applied_count;
  const double pause_ns =
      std::min(static_cast<double>(duration_ns) / kTimeShareMax,
               kPauseShareMax * max_replay_seconds_ * graph::kNanosecondsPerSecond);
  not_before_ns_ = now_ns + static_cast<std::int64_t>(pause_ns);
}

}  // namespace weft::rpc
