#include "tests/harness/watched_executor.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>
#include <vector>

namespace weft::tests {

// Runs a graph's task and notes the thread. Owns itself.
class WatchedExecutor::WatchedTask final : public graph::Task {
 public:
  WatchedTask(WatchedExecutor& executor, graph::Task& task) : executor_(executor), task_(task) {}
  void Run() override {
    const std::unique_ptr<WatchedTask> self(this);
    executor_.Note();
    task_.Run();
  }

 private:
  WatchedExecutor& executor_;
  graph::Task& task_;
};

// Keeps a thread busy for a moment, so that the tasks behind it go to other threads. Owns itself.
class WatchedExecutor::BusyTask final : public graph::Task {
 public:
  void Run() override {
    const std::unique_ptr<BusyTask> self(this);
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
  }
};

// Returns when as many threads as expected run it at once.
class WatchedExecutor::MeetingTask final : public graph::Task {
 public:
  explicit MeetingTask(int expected) : missing_(expected), present_(expected) {}
  void Run() override {
    std::unique_lock lock(mutex_);
    if (--missing_ == 0) changed_.notify_all();
    changed_.wait(lock, [this] { return missing_ <= 0; });
    if (--present_ == 0) changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return present_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int missing_;
  int present_;
};

WatchedExecutor::WatchedExecutor(int thread_count) : executor_(graph::MakeExecutor(thread_count)) {
  const int expected = std::min(thread_count, 3);
  MeetingTask meeting(expected);
  for (int i = 0; i < expected; ++i) executor_->Submit(meeting);
  meeting.Wait();
}

void WatchedExecutor::Submit(graph::Task& task) {
  constexpr std::int64_t kTasksPerBusy = 4;
  if (thread_count() > 1 && submitted_.fetch_add(1) % kTasksPerBusy == 0) {
    executor_->Submit(*std::make_unique<BusyTask>().release());
  }
  executor_->Submit(*std::make_unique<WatchedTask>(*this, task).release());
}

bool WatchedExecutor::Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                           absl::FunctionRef<bool()> done, std::int64_t timeout_us) {
  return executor_->Wait(lock, changed, done, timeout_us);
}

void WatchedExecutor::Note() {
  tasks_run_.fetch_add(1);
  const std::lock_guard lock(mutex_);
  threads_.insert(std::this_thread::get_id());
}

int WatchedExecutor::threads_used() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(threads_.size());
}

}  // namespace weft::tests
