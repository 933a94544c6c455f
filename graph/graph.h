// Graph: a running dataflow, built from a GraphSpec.
//
// Built once (validated, operators opened), optionally restored from a checkpoint, started, fed,
// drained, closed. Thread rule: Push, AdvanceTime, SendCommand, Read, Checkpoint, StateHash, Drain
// and Applied may be called from any thread that is not an executor thread; the first three for one
// input from one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/operator.h"
#include "graph/packet.h"
#include "graph/state.h"

namespace weft::graph {

struct Command;        // graph/command.h: what one operator shall do at one place of the log
class ColdStore;       // graph/cold_store.h: state outside of memory
class Catalog;         // graph/catalog.h: operator names -> contracts and factories
class Executor;        // graph/executor.h: oneTBB arena, or serial and seeded
class MetricRegistry;  // graph/metrics.h
class TraceRecorder;   // graph/trace.h: spans in the format that Perfetto opens
class ParsedSpec;      // graph/graph_spec.h: a validated GraphSpec with source locations

// What a graph runs in. Everything outlives the graph.
struct Environment {
  const Catalog* catalog = nullptr;
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  MetricRegistry* metrics = nullptr;
  TraceRecorder* trace = nullptr;  // may be null
  std::string device = "host";
  std::int32_t feature_count = 0;  // of an event of the feeds
  ColdStore* cold = nullptr;       // null: one in memory, which goes with the graph
};

class Graph {
 public:
  // Wires and opens every operator. INVALID_ARGUMENT with file:line:column for anything wrong in
  // the spec or its options.
  static absl::StatusOr<std::unique_ptr<Graph>> Build(const ParsedSpec& spec,
                                                      const Environment& environment);
  virtual ~Graph() = default;

  // Between Build and Start. FAILED_PRECONDITION for another spec digest or state_version;
  // DATA_LOSS for sections that do not fit or a hash that differs. The graph is unusable after an
  // error.
  virtual absl::Status Restore(CheckpointStore::Reader& checkpoint) = 0;

  virtual absl::Status Start() = 0;

  // Names of the graph's inputs and outputs, in spec order.
  virtual const std::vector<std::string>& inputs() const = 0;
  virtual const std::vector<std::string>& outputs() const = 0;

  // Hands a packet to an input; blocks the calling thread while the input's stream is full. Fails
  // with the graph's error once an operator has failed. INVALID_ARGUMENT, and the graph goes on,
  // for another packet type, a time before that of the packet before, or a position before its end.
  // Inputs whose packets meet in some operator are let in by rising (time_us, place in the spec): a
  // packet waits until every such other input has a packet or a time beyond it. So push such inputs
  // from threads of their own, or in time order.
  virtual absl::Status Push(std::string_view input, Packet packet) = 0;
  // Only moves the input's time forward (an idle feed). `position` is that of the idle mark, which
  // is one entry of the log. kAfterAllTime ends the input for those that wait for it.
  virtual absl::Status AdvanceTime(std::string_view input, LogPosition position,
                                   TimeUs time_us) = 0;
  // Sends a command in by an input, as Push a packet. `position` is that of its log record, one
  // entry. The node that it names must be reached from the input or from one that meets it
  // (ParsedSpec::InputBefore), or nobody carries it out.
  virtual absl::Status SendCommand(std::string_view input, LogPosition position, TimeUs time_us,
                                   Command command) = 0;

  // Every packet that leaves at `output` from now on; called on executor threads, one call at a
  // time per output. Before Start, or while running.
  virtual absl::Status OnOutput(std::string_view output,
                                std::function<void(const Packet&)> receive) = 0;
  // Called, in order, with the position after each input packet that every operator has finished
  // with, and after each idle mark. The position after a packet is that of its first row plus its
  // rows, at least 1. The callback must be short.
  virtual absl::Status OnApplied(std::string_view input,
                                 std::function<void(LogPosition)> applied) = 0;
  virtual LogPosition Applied(std::string_view input) const = 0;

  // Runs `read` in the slot of the node's operator between two micro-batches and waits for it. It
  // must be short and must not change the operator. NOT_FOUND for an unknown node;
  // DEADLINE_EXCEEDED after `deadline_us` of waiting.
  virtual absl::Status Read(std::string_view node, std::int64_t deadline_us,
                            const std::function<void(const Operator&, LogPosition)>& read) = 0;

  // Sends an aligned barrier through the graph, behind what was pushed before, and saves every
  // operator at it; what was to leave the graph before it has left. The manifest's id is the
  // store's choice. If saving fails the graph goes on.
  virtual absl::StatusOr<CheckpointManifest> Checkpoint(CheckpointStore& store) = 0;
  // The same barrier, hashing instead of storing.
  virtual absl::StatusOr<CheckpointManifest> StateHash() = 0;

  // Waits until everything pushed so far has been applied, but for packets that still wait for
  // another input's time.
  virtual absl::Status Drain() = 0;
  // Drains, closes the operators and ends the graph's tasks. Called by the destructor if need be.
  virtual absl::Status Close() = 0;
};

}  // namespace weft::graph
