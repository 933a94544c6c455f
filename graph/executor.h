// Executor: where the tasks of a graph run.
//
// Two kinds: threads (MakeExecutor: one oneTBB arena of its own; in a thread-sanitizer build
// std::jthread, because Debian's libtbb is not instrumented), and SerialExecutor, which runs one
// task at a time on the caller's thread in an order drawn from a seed. A graph gives the same
// results on all of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/function_ref.h"

namespace weft::graph {

// Something to run. The submitter keeps it alive until Run has returned.
class Task {
 public:
  virtual ~Task() = default;
  virtual void Run() = 0;
};

inline constexpr std::int64_t kNoTimeoutUs = std::numeric_limits<std::int64_t>::max();

class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` once, soon, never inside this call. From any thread.
  virtual void Submit(Task& task) = 0;

  // Blocks the calling thread, which must not be one of the executor's, until `done()` is true;
  // `lock` is held whenever `done` is called and on return. Whoever changes what `done` looks at
  // notifies `changed`. False when `timeout_us` microseconds of real time have passed first, or, on
  // a SerialExecutor, when no task is left that could change it.
  virtual bool Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                    absl::FunctionRef<bool()> done, std::int64_t timeout_us) = 0;

  virtual int thread_count() const = 0;
  // How many micro-batches an operator may run before it lets other tasks go first.
  virtual int quantum() const = 0;
};

// `thread_count` threads, at least 1. Destroying it waits for the tasks that were submitted.
std::unique_ptr<Executor> MakeExecutor(int thread_count);

// Runs tasks one at a time on the thread that waits, each time a ready one drawn from the seed: the
// same seed gives the same schedule. For simulation and property tests. Thread rule: one thread
// uses it and the graphs on it.
class SerialExecutor final : public Executor {
 public:
  explicit SerialExecutor(std::uint64_t seed);

  void Submit(Task& task) override;
  bool Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            absl::FunctionRef<bool()> done, std::int64_t timeout_us) override;
  int thread_count() const override { return 1; }
  int quantum() const override { return 1; }

  // Runs one task; false if none is ready.
  bool RunOne();
  // Runs tasks until none is ready.
  void RunUntilIdle();
  std::int64_t tasks_run() const { return tasks_run_; }

 private:
  std::uint64_t state_;
  std::int64_t tasks_run_ = 0;
  std::vector<Task*> ready_;
};

}  // namespace weft::graph
