#include "graph/executor.h"

namespace weft::graph {
namespace {

// One step of SplitMix64.
std::uint64_t NextRandom(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

SerialExecutor::SerialExecutor(std::uint64_t seed) : state_(seed) {}

void SerialExecutor::Submit(Task& task) { ready_.push_back(&task); }

bool SerialExecutor::Wait(std::unique_lock<std::mutex>& lock, std::condition_variable&,
                          absl::FunctionRef<bool()> done, std::int64_t) {
  while (!done()) {
    lock.unlock();
    const bool ran = RunOne();
    lock.lock();
    if (!ran) return done();
  }
  return true;
}

bool SerialExecutor::RunOne() {
  if (ready_.empty()) return false;
  const std::size_t pick = NextRandom(state_) % ready_.size();
  Task* task = ready_[pick];
  ready_[pick] = ready_.back();
  ready_.pop_back();
  ++tasks_run_;
  task->Run();
  return true;
}

void SerialExecutor::RunUntilIdle() {
  while (RunOne()) {
  }
}

}  // namespace weft::graph
