// Runs a graph on given input packets and gathers everything that may be compared: outputs, applied
// positions, state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/catalog.h"
#include "graph/executor.h"
#include "graph/packet.h"
#include "graph/state.h"

namespace weft::tests {

// How payloads become bytes, by packet type. EventBatch is known from the start.
class PayloadEncoders {
 public:
  PayloadEncoders();

  template <class T>
  void Add(std::function<std::string(const T&)> encode) {
    encoders_[graph::PacketTypeName<T>::kName] = [encode](const graph::Packet& packet) {
      return encode(packet.Get<T>());
    };
  }
  // The packet's type must have been added.
  std::string Encode(const graph::Packet& packet) const;

 private:
  std::map<std::string_view, std::function<std::string(const graph::Packet&)>> encoders_;
};

// One step of a feed: a packet, or (empty packet) only a time.
struct InputStep {
  std::string input;
  graph::Packet packet;
  graph::LogPosition position;  // of a step that is only a time
  graph::TimeUs time_us = graph::kBeforeAllTime;
};

// One packet that left the graph.
struct OutputPacket {
  graph::LogPosition position, end;
  graph::TimeUs time_us = graph::kBeforeAllTime;
  std::int64_t row_count = 0;
  std::string bytes;
  bool operator==(const OutputPacket&) const = default;
};

struct RunResult {
  std::map<std::string, std::vector<OutputPacket>> outputs;
  std::map<std::string, std::vector<graph::LogPosition>> applied;  // as reported, by input
  graph::CheckpointManifest state;                                 // StateHash at the end
};

struct RunSettings {
  const graph::Catalog* catalog = nullptr;
  const PayloadEncoders* encoders = nullptr;
  graph::Executor* executor = nullptr;
  // After so many steps: checkpoint, throw the graph away and go on in a new one from the
  // checkpoint, with the steps that it does not contain. Negative: never.
  std::int64_t save_after = -1;
};

// Parses, builds, pushes every step, drains and hashes. Any error ends the run.
absl::StatusOr<RunResult> RunGraph(std::string_view spec, const std::vector<InputStep>& steps,
                                   const RunSettings& settings);

// Steps that push `batches` as packets of feed `feed` one after the other; each packet's time is
// the largest event time so far, less `lateness_us`.
std::vector<InputStep> FeedSteps(std::string_view input, std::uint32_t feed,
                                 const std::vector<graph::EventBatch>& batches,
                                 graph::TimeUs lateness_us = 0);

// `count` random events between `node_count` nodes with rising times (some equal), from a seed.
graph::EventBatch RandomEvents(std::uint64_t seed, std::int64_t count, graph::NodeId node_count,
                               graph::TimeUs first_time_us);

}  // namespace weft::tests
