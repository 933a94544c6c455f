// Contract: what an operator promises, as data. The engine checks graphs against it; the meta-test
// checks operators against it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/packet.h"

namespace weft::graph {

// A typed, named end of an operator; declared as a constant of the operator:
//   static constexpr In<EventBatch> kEvents{"EVENTS"};
//   static constexpr Out<LinkScores> kScores{"SCORES"};
template <class T>
struct In {
  using Type = T;
  std::string_view name;
};
template <class T>
struct Out {
  using Type = T;
  std::string_view name;
};

struct PortInfo {
  std::string_view name;  // upper case
  std::string_view type;  // PacketTypeName
  bool optional = false;  // may stay unconnected
};

enum class Exactness {
  kExact,        // same log, same bytes, on every machine
  kApproximate,  // agrees within the error that its page states
};

// What an operator may read of the past for an event (design: "An operator").
enum class Reads {
  kNothing,      // stateless
  kBeforeTime,   // only events with a strictly earlier time, per event in log order
  kBeforeBatch,  // the state as of the start of its micro-batch
  kOffline,      // may look ahead; never in a service
};

struct Contract {
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::string_view
      options_type;  // full protobuf name, "weft.operators.link.v1.Nat"; empty: takes no options
  Exactness exactness = Exactness::kExact;
  Reads reads = Reads::kNothing;
  // Rows the engine hands to one Process call, cut from a packet's first row. Client reads run
  // between micro-batches. An operator whose options set it (before_batch(B)) overrides
  // Operator::micro_batch().
  std::int64_t micro_batch = 64;
  bool stateful = true;
  std::uint32_t state_version = 1;

  template <class T>
  Contract& Input(In<T> port, bool optional = false) {
    inputs.push_back({port.name, PacketTypeName<T>::kName, optional});
    return *this;
  }
  template <class T>
  Contract& Output(Out<T> port, bool optional = true) {
    outputs.push_back({port.name, PacketTypeName<T>::kName, optional});
    return *this;
  }
};

}  // namespace weft::graph
