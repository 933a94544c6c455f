// The part of an executor with threads that does not depend on where the threads come from.
// Internal to graph/.
#pragma once

#include "graph/executor.h"

namespace weft::graph {

class ThreadedExecutor : public Executor {
 public:
  bool Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            absl::FunctionRef<bool()> done, std::int64_t timeout_us) final;
  int quantum() const final { return 32; }
};

}  // namespace weft::graph
