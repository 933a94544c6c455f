#include "graph/threaded_executor.h"

#include <chrono>

namespace weft::graph {

bool ThreadedExecutor::Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                            absl::FunctionRef<bool()> done, std::int64_t timeout_us) {
  // Beyond a year a deadline is none; adding it to the clock could overflow.
  constexpr std::int64_t kYearUs = std::int64_t{365} * 24 * 3600 * 1'000'000;
  if (timeout_us >= kYearUs) {
    changed.wait(lock, done);
    return true;
  }
  return changed.wait_for(lock, std::chrono::microseconds(timeout_us), done);
}

}  // namespace weft::graph
