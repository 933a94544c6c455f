// WeftModel as it was at a past time: the same weights, and rows from what is left of the events.
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/link/memory_checkpoint.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {

std::unique_ptr<LinkModel> WeftModel::Fork(std::int64_t node_limit) const {
  WeftOptions options = options_;
  options.table.max_nodes = std::min(options.table.max_nodes, node_limit);
  // It takes events in one by one and scores none of them.
  options.table.before_rows = 1;
  options.step_events = 1;
  auto fork = std::make_unique<WeftModel>(options, exec_);
  MemoryCheckpoint weights;
  WEFT_CHECK(SaveWeights(weights).ok());
  MemoryCheckpointReader reader(weights);
  WEFT_CHECK(fork->LoadWeights(reader).ok());
  return fork;
}

// Clocks of rows count events of the stream, so each event goes to its place. What came right
// before an event whose forerunner is missing is not known, and nobody learns that it followed.
void WeftModel::ObservePast(const PastEvents& past) {
  gpu::Synchronize(exec_);
  cache::PartnerStream& stream = table_.stream();
  const auto go_to = [&stream](std::uint64_t place) {
    if (static_cast<std::uint64_t>(stream.event_count) == place) return false;
    stream.event_count = static_cast<std::int64_t>(place);
    stream.last_source = stream.last_target = cache::kNobody;
    return true;
  };
  for (std::size_t i = 0; i < past.place.size(); ++i) {
    const graph::TimeUs time_us = past.events.time_us[i];
    if (go_to(past.place[i])) stream.last_us = std::max(stream.last_us, time_us);
    if (i == 0) stream.first_us = past.first_us;
    const cache::PartnerEvent event =
        table_.Admit(past.events.source[i], past.events.target[i], time_us);
    cache::ObserveEvent(table_.rows(), stream, event, /*keep_before=*/false);
  }
  go_to(past.stream_event_count);
}

}  // namespace weft::operators::link
