#include "graph/run_state.h"

#include <utility>

#include "graph/check.h"

namespace weft::graph {

void RunState::Stop(absl::Status reason) {
  WEFT_CHECK(!reason.ok());
  {
    const std::lock_guard lock(reason_mutex_);
    if (!reason_.ok()) return;
    reason_ = std::move(reason);
  }
  stopped_.store(true, std::memory_order_release);
  for (const auto& wake : wakers_) wake();
}

absl::Status RunState::reason() const {
  const std::lock_guard lock(reason_mutex_);
  return reason_;
}

bool RunState::Enter() {
  std::int64_t inside = inside_.load(std::memory_order_relaxed);
  while (inside > 0) {
    if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire)) return true;
  }
  return false;
}

void RunState::Leave() {
  if (inside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(empty_mutex_);
  empty_ = true;
  empty_changed_.notify_all();
}

void RunState::WaitUntilEmpty() {
  Leave();
  std::unique_lock lock(empty_mutex_);
  executor_.Wait(
      lock, empty_changed_, [this] { return empty_; }, kNoTimeoutUs);
  WEFT_CHECK(empty_);
}

absl::Status Visit::status() const {
  if (!entered_ || state_.stopped()) return state_.reason();
  return absl::OkStatus();
}

void Actor::Notify() {
  if (pending_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
  state_.EnterTask();
  state_.executor().Submit(*this);
}

void Actor::Run() {
  RunState& state = state_;
  const std::uint32_t seen = pending_.load(std::memory_order_acquire);
  const bool more = Step();
  if (more || pending_.fetch_sub(seen, std::memory_order_acq_rel) != seen) {
    state.executor().Submit(*this);
  } else {
    state.Leave();  // nothing of the actor may be touched after this
  }
}

}  // namespace weft::graph
