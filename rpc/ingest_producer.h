// What the sequencer knows of a producer. Internal to the sequencer and its sessions.
#pragma once

#include <cstdint>
#include <memory>

#include "graph/state.h"

namespace weft::rpc {

class IngestSession;

struct IngestProducer {
  graph::ProducerState state;  // guarded by the writer's order()
  // Guarded by the progress mutex.
  std::uint64_t durable_seq = 0;
  std::uint64_t applied_seq = 0;
  graph::LogPosition durable_end;
  std::weak_ptr<IngestSession> session;
};

}  // namespace weft::rpc
