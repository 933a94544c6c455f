// MakeExecutor on std::jthread, for the thread sanitizer.
#include "graph/check.h"
#include "graph/threaded_executor.h"

#ifdef WEFT_HOST_THREADS

#include <deque>
#include <thread>

namespace weft::graph {
namespace {

class PoolExecutor final : public ThreadedExecutor {
 public:
  explicit PoolExecutor(int thread_count) {
    threads_.reserve(static_cast<std::size_t>(thread_count));
    for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { RunTasks(); });
  }

  ~PoolExecutor() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ready_changed_.notify_all();
    // The threads, declared last, run the remaining tasks and are joined after this.
  }

  void Submit(Task& task) override {
    const std::lock_guard lock(mutex_);
    ready_.push_back(&task);
    ready_changed_.notify_one();
  }

  int thread_count() const override { return static_cast<int>(threads_.size()); }

 private:
  void RunTasks() {
    std::unique_lock lock(mutex_);
    while (true) {
      ready_changed_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
      if (ready_.empty()) return;
      Task* task = ready_.front();
      ready_.pop_front();
      lock.unlock();
      task->Run();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_changed_;
  bool stopping_ = false;
  std::deque<Task*> ready_;
  std::vector<std::jthread> threads_;
};

}  // namespace

std::unique_ptr<Executor> MakeExecutor(int thread_count) {
  WEFT_CHECK(thread_count >= 1);
  return std::make_unique<PoolExecutor>(thread_count);
}

}  // namespace weft::graph

#endif  // WEFT_HOST_THREADS
