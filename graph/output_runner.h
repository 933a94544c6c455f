// OutputRunner: hands the packets of one graph output to its subscribers. Internal to graph/.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "graph/run_state.h"
#include "graph/stream.h"

namespace weft::graph {

class OutputRunner final : public Actor {
 public:
  using Receive = std::function<void(const Packet&)>;

  explicit OutputRunner(RunState& state) : Actor(state) {}

  void set_edge(Edge* edge) { edge_ = edge; }
  // From any thread.
  void Subscribe(Receive receive);

 private:
  bool Step() override;

  Edge* edge_ = nullptr;
  std::mutex mutex_;
  std::shared_ptr<const std::vector<Receive>> receivers_ =
      std::make_shared<const std::vector<Receive>>();
};

}  // namespace weft::graph
