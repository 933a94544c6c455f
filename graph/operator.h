// Operator: the interface of everything that computes in a graph.
//
// Life cycle:  contract() -> construct -> Open -> [Load] -> Process* (with Save at barriers) ->
// Close. Thread rule: the engine calls one operator from at most one thread at a time, not always
// the same one. Operators hold no locks, no thread-locals and start no threads; parallelism is
// inside kernels. Errors: a failing Process stops the graph; the status names the node. Bad data
// never fails Process: it was rejected before it entered the log.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "graph/contract.h"
#include "graph/packet.h"
#include "graph/state.h"

namespace weft::graph {

class ColdStore;       // graph/cold_store.h
class MetricRegistry;  // graph/metrics.h

// What Open may use; lives until Open returns, except `metrics` and `cold`, which outlive the
// operator.
class OpenContext {
 public:
  virtual ~OpenContext() = default;
  // Of the node in the graph spec.
  virtual std::string_view node_name() const = 0;
  // Where kernels run: "host" or "cuda:0".
  virtual std::string_view device() const = 0;
  // Features of an event of the feeds, for operators that read as many as there are.
  virtual std::int32_t feature_count() const = 0;
  // Whether anything is connected to this output port, so that unwanted work can be left out.
  virtual bool IsConnected(std::string_view output_port) const = 0;
  // Whether a stream comes in at this input port, for operators with optional ones.
  virtual bool IsInputConnected(std::string_view input_port) const = 0;
  virtual MetricRegistry& metrics() const = 0;
  // The node's state outside of memory.
  virtual ColdStore& cold() const = 0;
  // INVALID_ARGUMENT that names file, line, column and field of the option, e.g.
  // `links.pbtxt:12:7: hops: expected 0, 1 or 2, got 5`. `field` may be a path: "slots[1]".
  virtual absl::Status OptionError(std::string_view field, std::string_view message) const = 0;

  // The node's options; a default instance if the spec has none.
  template <class Message>
  const Message& Options() const {
    return static_cast<const Message&>(OptionsMessage());
  }

 protected:
  virtual const google::protobuf::Message& OptionsMessage() const = 0;
};

// One micro-batch of one input packet, and where its results go.
class ProcessContext {
 public:
  virtual ~ProcessContext() = default;

  // The input port the packet came on, and the packet; use rows [begin(), end()) of it.
  virtual std::string_view port() const = 0;
  virtual const Packet& packet() const = 0;
  virtual std::int64_t begin() const = 0;
  virtual std::int64_t end() const = 0;

  // Log position of row begin(); of the packet, where rows are not entries of the log.
  LogPosition position() const { return PositionOf(begin(), packet().position()); }
  // All that the rows are of is before this.
  LogPosition end_position() const { return PositionOf(end(), packet().end()); }

  template <class T>
  const T& Get(In<T> input) const {
    WEFT_CHECK(port() == input.name);
    return packet().template Get<T>();
  }

  // Sends a payload on, of [position(), end_position()); its time is the input packet's. Nothing
  // happens if the port is not connected. At most one payload per output port and Process call.
  template <class T>
  void Emit(Out<T> output, std::shared_ptr<const T> payload) {
    Packet sent = Packet::Make<T>(std::move(payload), position(), packet().time_us());
    sent.set_end(end_position());
    EmitPacket(output.name, std::move(sent));
  }

 protected:
  LogPosition PositionOf(std::int64_t row, LogPosition otherwise) const {
    if (!packet().rows_are_entries()) return otherwise;
    LogPosition position = packet().position();
    position.offset += static_cast<std::uint64_t>(row);
    return position;
  }
  virtual void EmitPacket(std::string_view port, Packet packet) = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;

  // Validates options and allocates everything that Process will need.
  virtual absl::Status Open(OpenContext& context) = 0;

  virtual absl::Status Process(ProcessContext& context) = 0;

  // Carries out a command that has its place in the log at `position`, between two micro-batches.
  // One that cannot be carried out leaves the state as it is and is not an error: it is in the log
  // and will come again with every replay. Nothing happens unless the operator takes commands.
  virtual absl::Status OnCommand(std::string_view body, LogPosition position);

  // All state that influences later output, in a fixed order. Called between micro-batches, at a
  // barrier.
  virtual absl::Status Save(CheckpointSink& sink) const;
  // Into a freshly opened operator; DATA_LOSS if the sections do not fit the options.
  virtual absl::Status Load(CheckpointSource& source);

  virtual absl::Status Close() { return absl::OkStatus(); }

  // Rows per Process call; the contract's unless options decide. Constant after Open.
  virtual std::int64_t micro_batch() const;

  // Of the class; set by the catalog when it makes the operator.
  const Contract& declared() const { return *contract_; }
  void set_contract(const Contract* contract) { contract_ = contract; }

 private:
  const Contract* contract_ = nullptr;
};

}  // namespace weft::graph
