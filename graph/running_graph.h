// RunningGraph: the one implementation of Graph. Internal to graph/.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "graph/barrier.h"
#include "graph/cold_store.h"
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/ingress.h"
#include "graph/metrics.h"
#include "graph/node_runner.h"
#include "graph/output_runner.h"
#include "graph/run_state.h"
#include "graph/stream.h"

namespace weft::graph {

class RunningGraph final : public Graph {
 public:
  RunningGraph(const ParsedSpec& spec, const Environment& environment);
  ~RunningGraph() override;

  // Makes, opens and wires everything. Once, before anything else.
  absl::Status Assemble();

  absl::Status Restore(CheckpointStore::Reader& checkpoint) override;
  absl::Status Start() override;
  const std::vector<std::string>& inputs() const override { return input_names_; }
  const std::vector<std::string>& outputs() const override { return output_names_; }
  absl::Status Push(std::string_view input, Packet packet) override;
  absl::Status AdvanceTime(std::string_view input, LogPosition position, TimeUs time_us) override;
  absl::Status SendCommand(std::string_view input, LogPosition position, TimeUs time_us,
                           Command command) override;
  absl::Status OnOutput(std::string_view output,
                        std::function<void(const Packet&)> receive) override;
  absl::Status OnApplied(std::string_view input, std::function<void(LogPosition)> applied) override;
  LogPosition Applied(std::string_view input) const override;
  absl::Status Read(std::string_view node, std::int64_t deadline_us,
                    const std::function<void(const Operator&, LogPosition)>& read) override;
  absl::StatusOr<CheckpointManifest> Checkpoint(CheckpointStore& store) override;
  absl::StatusOr<CheckpointManifest> StateHash() override;
  absl::Status Drain() override;
  absl::Status Close() override;

 private:
  // Where an input of the graph enters.
  struct InputRoute {
    Ingress* ingress = nullptr;
    std::size_t index = 0;
  };

  absl::Status OpenOperators();
  NodeRunner::Metrics NodeMetrics(const std::string& node) const;
  void MakeIngresses();
  void MakeOutputs();
  void Wire();
  void Connect(int stream, Actor& consumer, std::string_view consumer_name, bool wants_frontier,
               const std::function<void(Edge&)>& attach);
  // Per node: whether it or something behind it has several inputs.
  std::vector<bool> NodesThatMerge() const;

  absl::Status CheckManifest(const CheckpointManifest& manifest) const;
  absl::Status RestoreNode(std::size_t node, CheckpointStore::Reader& checkpoint);
  absl::Status RestoreInputs(CheckpointStore::Reader& checkpoint);
  // With a null writer: hashes only.
  absl::StatusOr<CheckpointManifest> SendBarrier(CheckpointStore::Writer* writer);
  absl::Status SaveInputs(CheckpointStore::Writer& writer,
                          const std::vector<Barrier::InputMark>& marks) const;
  CheckpointManifest MakeManifest(const Barrier& barrier) const;
  absl::StatusOr<const InputRoute*> FindInput(std::string_view name) const;

  const ParsedSpec spec_;
  const std::unique_ptr<ColdStore> own_cold_;  // null if the environment has one
  const Environment environment_;
  std::vector<std::unique_ptr<ColdStore>> node_cold_;  // in spec order
  mutable RunState state_;
  std::vector<std::string> input_names_;
  std::vector<std::string> output_names_;

  // Packets in flight report to their ingress, so that the ingresses go last.
  std::vector<std::unique_ptr<Ingress>> ingresses_;
  std::map<std::string, InputRoute, std::less<>> input_routes_;
  std::vector<std::unique_ptr<Edge>> edges_;
  std::vector<std::unique_ptr<NodeRunner>> nodes_;
  std::map<std::string_view, NodeRunner*> node_index_;
  std::map<std::string, std::unique_ptr<OutputRunner>, std::less<>> outputs_;

  std::mutex checkpoint_mutex_;  // one barrier at a time
  std::mutex barrier_mutex_;     // guards barrier_
  std::shared_ptr<Barrier> barrier_;
  std::mutex life_mutex_;  // guards the three below
  bool started_ = false;
  bool closed_ = false;
  absl::Status close_status_;
};

}  // namespace weft::graph
