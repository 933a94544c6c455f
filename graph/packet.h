// Packet: an immutable payload with its place in the log. Copying a packet copies references.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "graph/check.h"
#include "graph/event_batch.h"
#include "graph/log_record.h"
#include "graph/time.h"

namespace weft::graph {

// The name and row counter of a payload type. Specialise with WEFT_PACKET_TYPE beside the type's
// definition:
//   WEFT_PACKET_TYPE(graph::EventBatch, "EventBatch");   (at global namespace scope)
// The type needs `std::int64_t size() const`: its rows, which the engine cuts into micro-batches.
template <class T>
struct PacketTypeName;

#define WEFT_PACKET_TYPE(type, text)                \
  template <>                                       \
  struct weft::graph::PacketTypeName<type> {        \
    static constexpr std::string_view kName = text; \
  }

// Held by every packet that descends from one input packet; the engine learns from its destruction
// that the input packet has been applied by every operator.
class InFlight;

class Packet {
 public:
  Packet() = default;

  template <class T>
  static Packet Make(std::shared_ptr<const T> payload, LogPosition position, TimeUs time_us) {
    Packet packet;
    packet.row_count_ = payload->size();
    packet.payload_ = std::move(payload);
    packet.type_ = PacketTypeName<T>::kName;
    packet.position_ = packet.end_ = position;
    packet.end_.offset += static_cast<std::uint64_t>(packet.row_count_);
    packet.time_us_ = time_us;
    return packet;
  }

  template <class T>
  const T& Get() const {
    WEFT_CHECK(type_ == PacketTypeName<T>::kName);
    return *static_cast<const T*>(payload_.get());
  }

  // The payload alone: it may outlive the packet, and does not hold up what counts as applied.
  template <class T>
  std::shared_ptr<const T> Share() const {
    WEFT_CHECK(type_ == PacketTypeName<T>::kName);
    return std::static_pointer_cast<const T>(payload_);
  }

  bool empty() const { return payload_ == nullptr; }
  std::string_view type() const { return type_; }
  // Rows of the payload; row i has position().offset + i when the payload has one row an event.
  std::int64_t row_count() const { return row_count_; }
  // Of the first row.
  LogPosition position() const { return position_; }
  // The log is in the packet up to here. Differs from position() and the rows where these are not
  // events: what is computed from a micro-batch holds all of its entries.
  LogPosition end() const { return end_; }
  void set_end(LogPosition end) { end_ = end; }
  bool rows_are_entries() const {
    return end_.offset - position_.offset == static_cast<std::uint64_t>(row_count_);
  }
  // The feed's watermark after this packet; never falls along a stream. Streams that meet in one
  // operator are merged by it.
  TimeUs time_us() const { return time_us_; }

  const std::shared_ptr<const InFlight>& in_flight() const { return in_flight_; }
  void set_in_flight(std::shared_ptr<const InFlight> token) { in_flight_ = std::move(token); }

 private:
  std::shared_ptr<const void> payload_;
  std::shared_ptr<const InFlight> in_flight_;
  std::string_view type_;
  std::int64_t row_count_ = 0;
  LogPosition position_, end_;
  TimeUs time_us_ = kBeforeAllTime;
};

}  // namespace weft::graph

WEFT_PACKET_TYPE(weft::graph::EventBatch, "EventBatch");
