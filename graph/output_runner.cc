#include "graph/output_runner.h"

#include <utility>

#include "graph/barrier.h"

namespace weft::graph {

void OutputRunner::Subscribe(Receive receive) {
  const std::lock_guard lock(mutex_);
  auto receivers = std::make_shared<std::vector<Receive>>(*receivers_);
  receivers->push_back(std::move(receive));
  receivers_ = std::move(receivers);
}

bool OutputRunner::Step() {
  std::shared_ptr<const std::vector<Receive>> receivers;
  {
    const std::lock_guard lock(mutex_);
    receivers = receivers_;
  }
  for (int i = 0; i < state().executor().quantum(); ++i) {
    if (state().stopped()) return false;
    StreamItem item;
    OrderKey frontier;
    if (!edge_->Pop(item, frontier)) return false;
    if (item.is_cut()) {
      if (item.barrier != nullptr) item.barrier->Arrive();
      continue;
    }
    // A subscriber may keep the packet; the input packet counts as applied all the same.
    const std::shared_ptr<const InFlight> in_flight = item.packet.in_flight();
    item.packet.set_in_flight(nullptr);
    for (const Receive& receive : *receivers) receive(item.packet);
  }
  return true;
}

}  // namespace weft::graph
