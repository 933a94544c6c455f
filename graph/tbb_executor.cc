// MakeExecutor on oneTBB. With WEFT_HOST_THREADS, pool_executor.cc defines it instead.
#include "graph/check.h"
#include "graph/threaded_executor.h"

#ifndef WEFT_HOST_THREADS

#include <algorithm>
#include <atomic>
#include <thread>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

namespace weft::graph {
namespace {

// Tasks are enqueued, never spawned: a kernel that waits inside one operator can not pick up
// another operator.
class TbbExecutor final : public ThreadedExecutor {
 public:
  explicit TbbExecutor(int thread_count)
      : thread_count_(thread_count),
        parallelism_(tbb::global_control::max_allowed_parallelism, Parallelism(thread_count)),
        arena_(thread_count, /*reserved_for_masters=*/0) {
    arena_.initialize();
  }

  ~TbbExecutor() override {
    Leave();
    std::unique_lock lock(mutex_);
    empty_changed_.wait(lock, [this] { return empty_; });
  }

  void Submit(Task& task) override {
    inside_.fetch_add(1, std::memory_order_relaxed);
    arena_.enqueue([this, &task] {
      task.Run();
      Leave();
    });
  }

  int thread_count() const override { return thread_count_; }

 private:
  // One thread more than workers: TBB counts an outside thread that never comes.
  static std::size_t Parallelism(int thread_count) {
    const unsigned machine = std::max(1u, std::thread::hardware_concurrency());
    return std::max(static_cast<std::size_t>(thread_count) + 1, std::size_t{machine});
  }

  void Leave() {
    if (inside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);
    empty_ = true;
    empty_changed_.notify_all();
  }

  const int thread_count_;
  tbb::global_control parallelism_;
  tbb::task_arena arena_;
  std::atomic<std::int64_t> inside_ = 1;  // tasks, and the executor itself until its end
  std::mutex mutex_;
  std::condition_variable empty_changed_;
  bool empty_ = false;
};

}  // namespace

std::unique_ptr<Executor> MakeExecutor(int thread_count) {
  WEFT_CHECK(thread_count >= 1);
  return std::make_unique<TbbExecutor>(thread_count);
}

}  // namespace weft::graph

#endif  // WEFT_HOST_THREADS
