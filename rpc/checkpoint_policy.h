// CheckpointPolicy: when to cut a checkpoint, so that a restart is back within max_replay_seconds.
// It estimates how fast the graph applies entries from the times when it had a backlog, because
// only then it ran as fast as it can. When a checkpoint is cut never shapes state. Thread rule: one
// thread.
#pragma once

#include <cstdint>

namespace weft::rpc {

class CheckpointPolicy {
 public:
  // `applied_count`: entries that a checkpoint taken now would contain, over all feeds.
  CheckpointPolicy(double max_replay_seconds, std::uint64_t applied_count);

  // What a replay at start took.
  void Replayed(std::uint64_t entry_count, double seconds);
  // A look at the running graph. `backlog`: whether durable entries wait to be applied.
  void Observe(std::int64_t now_ns, std::uint64_t applied_count, bool backlog);
  // `durable_count`: entries of the log, over all feeds; a restart replays what no checkpoint
  // contains, applied or not.
  bool Due(std::int64_t now_ns, std::uint64_t durable_count) const;
  // A checkpoint with `applied_count` entries was cut and took this long.
  void Cut(std::int64_t now_ns, std::int64_t duration_ns, std::uint64_t applied_count);
  // How long a restart right now would replay.
  double ReplaySeconds(std::uint64_t durable_count) const;
  double entries_per_second() const { return entries_per_second_; }

 private:
  void Learn(double entries_per_second);

  const double max_replay_seconds_;
  double entries_per_second_;
  std::uint64_t contained_count_;
  std::int64_t not_before_ns_ = 0;
  std::int64_t seen_ns_ = 0;
  std::uint64_t seen_count_ = 0;
  bool seen_backlog_ = false;
};

}  // namespace weft::rpc
