// RunState: what all parts of one running graph share: the executor, the first error, and a count
// of who is inside. Internal to graph/.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "graph/executor.h"
#include "graph/state.h"

namespace weft::graph {

// Thread rule: OnStop while the graph is built; everything else from any thread.
class RunState {
 public:
  RunState(Executor& executor, const Clock& clock) : executor_(executor), clock_(clock) {}

  Executor& executor() const { return executor_; }
  const Clock& clock() const { return clock_; }

  // Ends all work: no operator is called again and every waiting caller returns `reason`. Only the
  // first call counts.
  void Stop(absl::Status reason);
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  // Why it stopped; ok while it runs.
  absl::Status reason() const;
  // `wake` is called by Stop, to wake those who wait for something that will not come.
  void OnStop(std::function<void()> wake) { wakers_.push_back(std::move(wake)); }

  // Counts a caller from outside in; false once the graph has ended.
  bool Enter();
  // Counts a task in; only by someone who is inside.
  void EnterTask() { inside_.fetch_add(1, std::memory_order_relaxed); }
  void Leave();
  // Once: waits until nobody is inside; from then on Enter is false.
  void WaitUntilEmpty();

 private:
  Executor& executor_;
  const Clock& clock_;
  std::vector<std::function<void()>> wakers_;

  std::atomic<bool> stopped_ = false;
  mutable std::mutex reason_mutex_;
  absl::Status reason_;

  std::atomic<std::int64_t> inside_ = 1;  // the graph itself, until WaitUntilEmpty
  std::mutex empty_mutex_;
  std::condition_variable empty_changed_;
  bool empty_ = false;
};

// Counts a call from outside in and out.
class Visit {
 public:
  explicit Visit(RunState& state) : state_(state), entered_(state.Enter()) {}
  ~Visit() {
    if (entered_) state_.Leave();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  // Ok while the graph runs; otherwise why it does not.
  absl::Status status() const;

 private:
  RunState& state_;
  const bool entered_;
};

// A part of the graph that runs when something has changed for it: at most one Step at a time,
// never lost.
class Actor : public Task {
 public:
  explicit Actor(RunState& state) : state_(state) {}

  // Makes Step run (again) soon. Only by someone who is inside.
  void Notify();
  void Run() final;

 protected:
  // Does what can be done now. True: there is more, call again after letting others run. False:
  // wait for Notify.
  virtual bool Step() = 0;
  RunState& state() const { return state_; }

 private:
  RunState& state_;
  std::atomic<std::uint32_t> pending_ = 0;
};

}  // namespace weft::graph
