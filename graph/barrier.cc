#include "graph/barrier.h"

#include <utility>

namespace weft::graph {

Barrier::Barrier(CheckpointStore::Writer* writer, int part_count, std::size_t node_count,
                 std::size_t input_count)
    : writer_(writer), missing_(part_count), saved_(node_count), inputs_(input_count) {}

void Barrier::MarkInput(std::size_t input, InputMark mark) {
  const std::lock_guard lock(mutex_);
  inputs_[input] = mark;
}

bool Barrier::TakeTurn(Actor& actor) {
  const std::lock_guard lock(mutex_);
  if (given_up_) return false;
  if (busy_) {
    waiting_.push_back(&actor);
    return false;
  }
  busy_ = true;
  return true;
}

void Barrier::Arrive(std::size_t node, absl::StatusOr<Saved> saved) {
  std::vector<Actor*> waiting;
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    waiting.swap(waiting_);
    if (saved.ok()) {
      saved_[node] = *saved;
    } else {
      error_.Update(saved.status());
    }
    --missing_;
    changed_.notify_all();
  }
  for (Actor* actor : waiting) actor->Notify();
}

void Barrier::Arrive() {
  const std::lock_guard lock(mutex_);
  --missing_;
  changed_.notify_all();
}

absl::Status Barrier::Wait(RunState& state) {
  std::unique_lock lock(mutex_);
  const bool settled = state.executor().Wait(
      lock, changed_, [&] { return missing_ == 0 || (state.stopped() && !busy_); }, kNoTimeoutUs);
  if (missing_ == 0) return error_;
  given_up_ = true;
  if (state.stopped()) return state.reason();
  return absl::InternalError(settled ? "a barrier was lost"
                                     : "a barrier did not reach every operator");
}

void Barrier::Wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

}  // namespace weft::graph
