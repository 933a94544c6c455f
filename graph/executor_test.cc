#include "graph/executor.h"

#include <atomic>
#include <latch>
#include <vector>

#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>

namespace weft::graph {
namespace {

class FunctionTask final : public Task {
 public:
  explicit FunctionTask(std::function<void()> run) : run_(std::move(run)) {}
  void Run() override { run_(); }

 private:
  std::function<void()> run_;
};

std::vector<int> SerialOrder(std::uint64_t seed) {
  SerialExecutor executor(seed);
  std::vector<int> order;
  std::vector<std::unique_ptr<FunctionTask>> tasks;
  for (int i = 0; i < 8; ++i) {
    tasks.push_back(std::make_unique<FunctionTask>([&order, i] { order.push_back(i); }));
    executor.Submit(*tasks.back());
  }
  executor.RunUntilIdle();
  EXPECT_EQ(executor.tasks_run(), 8);
  return order;
}

TEST(SerialExecutor, DrawsTheOrderFromTheSeed) {
  EXPECT_EQ(SerialOrder(1), SerialOrder(1));
  EXPECT_NE(SerialOrder(1), SerialOrder(2));
}

TEST(SerialExecutor, WaitRunsTasksUntilDoneOrIdle) {
  SerialExecutor executor(3);
  std::mutex mutex;
  std::condition_variable changed;
  bool ran = false;
  FunctionTask task([&] { ran = true; });
  executor.Submit(task);
  std::unique_lock lock(mutex);
  EXPECT_TRUE(executor.Wait(
      lock, changed, [&] { return ran; }, kNoTimeoutUs));
  EXPECT_FALSE(executor.Wait(
      lock, changed, [] { return false; }, kNoTimeoutUs));
  EXPECT_TRUE(lock.owns_lock());
}

TEST(ExecutorThreads, ThreeTasksRunAtOnce) {
  const std::unique_ptr<Executor> executor = MakeExecutor(3);
  EXPECT_EQ(executor->thread_count(), 3);
  std::latch meeting(3);
  std::latch left(3);
  FunctionTask task([&] {
    meeting.arrive_and_wait();
    left.count_down();
  });
  for (int i = 0; i < 3; ++i) executor->Submit(task);
  left.wait();
}

TEST(ExecutorThreads, EndRunsWhatWasSubmitted) {
  std::atomic<int> ran = 0;
  FunctionTask task([&] { ++ran; });
  {
    const std::unique_ptr<Executor> executor = MakeExecutor(2);
    for (int i = 0; i < 1000; ++i) executor->Submit(task);
  }
  EXPECT_EQ(ran.load(), 1000);
}

#ifndef WEFT_HOST_THREADS
TEST(ExecutorThreads, ATaskNeverRunsInsideTheWaitOfAnother) {
  const std::unique_ptr<Executor> executor = MakeExecutor(3);
  static thread_local int depth = 0;
  std::atomic<int> deepest = 0;
  std::latch done(200);
  FunctionTask task([&] {
    ++depth;
    if (depth > deepest.load()) deepest = depth;
    std::atomic<std::int64_t> sum = 0;
    tbb::parallel_for(0, 64, [&sum](int i) {
      for (int j = 0; j < 500; ++j) sum += i ^ j;
    });
    --depth;
    done.count_down();
  });
  for (int i = 0; i < 200; ++i) executor->Submit(task);
  done.wait();
  EXPECT_EQ(deepest.load(), 1);
}
#endif

TEST(ExecutorThreads, WaitEndsWithTheTime) {
  const std::unique_ptr<Executor> executor = MakeExecutor(1);
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock lock(mutex);
  EXPECT_FALSE(executor->Wait(
      lock, changed, [] { return false; }, 1000));
}

}  // namespace
}  // namespace weft::graph
