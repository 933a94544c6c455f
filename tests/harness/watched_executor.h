// WatchedExecutor: a threaded executor that knows which threads really ran tasks, and that makes
// them spread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "graph/executor.h"

namespace weft::tests {

class WatchedExecutor final : public graph::Executor {
 public:
  // Proves at once that min(thread_count, 3) threads of it can run at the same time, by a meeting
  // of as many tasks.
  explicit WatchedExecutor(int thread_count);

  void Submit(graph::Task& task) override;
  bool Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            absl::FunctionRef<bool()> done, std::int64_t timeout_us) override;
  int thread_count() const override { return executor_->thread_count(); }
  // Small, so that tasks change threads often.
  int quantum() const override { return 2; }

  // Threads that ran tasks of graphs.
  int threads_used() const;
  std::int64_t tasks_run() const { return tasks_run_.load(); }

 private:
  class WatchedTask;
  class BusyTask;
  class MeetingTask;

  void Note();

  mutable std::mutex mutex_;
  std::set<std::thread::id> threads_;
  std::atomic<std::int64_t> tasks_run_ = 0;
  std::atomic<std::int64_t> submitted_ = 0;
  std::unique_ptr<graph::Executor> executor_;  // last: its end waits for the tasks
};

}  // namespace weft::tests
