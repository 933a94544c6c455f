// Building a graph: operators are made, opened and wired.
#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/check.h"
#include "graph/cold_store.h"
#include "graph/running_graph.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

Environment WithCold(Environment environment, ColdStore* otherwise) {
  if (environment.cold == nullptr) environment.cold = otherwise;
  return environment;
}

class SpecOpenContext final : public OpenContext {
 public:
  SpecOpenContext(const ParsedSpec& spec, int node, const Environment& environment, ColdStore& cold)
      : spec_(spec),
        index_(node),
        node_(spec.nodes()[static_cast<std::size_t>(node)]),
        environment_(environment),
        cold_(cold) {}

  std::string_view node_name() const override { return node_.name; }
  std::string_view device() const override { return environment_.device; }
  std::int32_t feature_count() const override { return environment_.feature_count; }
  bool IsConnected(std::string_view output_port) const override {
    const auto& ports = node_.entry->contract.outputs;
    return std::any_of(node_.outputs.begin(), node_.outputs.end(), [&](const auto& connection) {
      return ports[static_cast<std::size_t>(connection.port)].name == output_port;
    });
  }
  bool IsInputConnected(std::string_view input_port) const override {
    const auto& ports = node_.entry->contract.inputs;
    return std::any_of(node_.inputs.begin(), node_.inputs.end(), [&](const auto& connection) {
      return ports[static_cast<std::size_t>(connection.port)].name == input_port;
    });
  }
  MetricRegistry& metrics() const override { return *environment_.metrics; }
  ColdStore& cold() const override { return cold_; }
  absl::Status OptionError(std::string_view field, std::string_view message) const override {
    const std::string place = spec_.Place(spec_.OptionLocation(index_, field));
    return absl::InvalidArgumentError(Concat(place, ": ", field, ": ", message));
  }

 protected:
  const google::protobuf::Message& OptionsMessage() const override { return *node_.options; }

 private:
  const ParsedSpec& spec_;
  const int index_;
  const ParsedSpec::Node& node_;
  const Environment& environment_;
  ColdStore& cold_;
};

// Union-find over 0..count-1.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t Find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(std::size_t a, std::size_t b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Graph>> Graph::Build(const ParsedSpec& spec,
                                                    const Environment& environment) {
  WEFT_CHECK(environment.executor != nullptr && environment.clock != nullptr &&
             environment.metrics != nullptr);
  auto graph = std::make_unique<RunningGraph>(spec, environment);
  WEFT_TRY(graph->Assemble());
  return graph;
}

RunningGraph::RunningGraph(const ParsedSpec& spec, const Environment& environment)
    : spec_(spec),
      own_cold_(environment.cold == nullptr ? std::make_unique<MemoryColdStore>() : nullptr),
      environment_(WithCold(environment, own_cold_.get())),
      state_(*environment.executor, *environment.clock) {
  for (const ParsedSpec::Input& input : spec_.inputs()) input_names_.push_back(input.name);
  for (const ParsedSpec::Output& output : spec_.outputs()) output_names_.push_back(output.name);
}

absl::Status RunningGraph::Assemble() {
  WEFT_TRY(OpenOperators());
  MakeIngresses();
  MakeOutputs();
  Wire();
  state_.OnStop([this] {
    for (const auto& ingress : ingresses_) ingress->Wake();
    for (const auto& node : nodes_) node->Wake();
    const std::lock_guard lock(barrier_mutex_);
    if (barrier_ != nullptr) barrier_->Wake();
  });
  return absl::OkStatus();
}

NodeRunner::Metrics RunningGraph::NodeMetrics(const std::string& node) const {
  MetricRegistry& metrics = *environment_.metrics;
  const Labels labels = {{"graph", spec_.name()}, {"node", node}};
  return {
      &metrics.GetCounter("weft_operator_rows_total", "Rows that an operator processed.", labels),
      &metrics.GetCounter("weft_operator_packets_in_total",
                          "Packets that an operator took off its inputs.", labels),
      &metrics.GetCounter("weft_operator_packets_out_total",
                          "Packets that an operator sent to connected outputs.", labels),
      &metrics.GetCounter("weft_operator_reads_total", "Client reads served between micro-batches.",
                          labels),
      &metrics.GetHistogram("weft_operator_process_seconds",
                            "Time that one micro-batch took in an operator.", labels),
      &metrics.GetGauge("weft_operator_watermark_seconds",
                        "Event time up to which an operator has processed its inputs.", labels)};
}

absl::Status RunningGraph::OpenOperators() {
  for (std::size_t i = 0; i < spec_.nodes().size(); ++i) {
    const ParsedSpec::Node& node = spec_.nodes()[i];
    std::unique_ptr<Operator> op = node.entry->Make();
    node_cold_.push_back(std::make_unique<NodeColdStore>(
        environment_.cold,
        ColdPrefix(spec_.digest(), node.name, node.entry->contract.state_version)));
    SpecOpenContext context(spec_, static_cast<int>(i), environment_, *node_cold_.back());
    absl::Status opened = op->Open(context);
    if (!opened.ok()) {
      // An OptionError names its place already.
      const std::string prefix = Concat(spec_.file_name(), ":");
      if (std::string_view(opened.message().data(), opened.message().size()).starts_with(prefix)) {
        return opened;
      }
      return absl::Status(opened.code(), Concat(spec_.Place(node.location), ": node \"", node.name,
                                                "\": ", opened.message()));
    }
    nodes_.push_back(
        std::make_unique<NodeRunner>(state_, i, node.name, std::move(op), NodeMetrics(node.name)));
    node_index_[nodes_.back()->name()] = nodes_.back().get();
  }
  return absl::OkStatus();
}

void RunningGraph::MakeIngresses() {
  const std::size_t input_count = spec_.inputs().size();
  const auto producer = [&](int stream) {
    const ParsedSpec::Stream& from = spec_.streams()[static_cast<std::size_t>(stream)];
    return from.node < 0 ? static_cast<std::size_t>(from.port)
                         : input_count + static_cast<std::size_t>(from.node);
  };
  // A node belongs together with everything that feeds it.
  Groups groups(input_count + spec_.nodes().size());
  for (std::size_t i = 0; i < spec_.nodes().size(); ++i) {
    for (const auto& connection : spec_.nodes()[i].inputs) {
      groups.Join(producer(connection.stream), input_count + i);
    }
  }
  std::map<std::size_t, Ingress*> by_group;
  for (std::size_t i = 0; i < input_count; ++i) {
    const ParsedSpec::Input& input = spec_.inputs()[i];
    Ingress*& ingress = by_group[groups.Find(i)];
    if (ingress == nullptr) {
      ingresses_.push_back(std::make_unique<Ingress>(state_, spec_.stream_capacity()));
      ingress = ingresses_.back().get();
    }
    const std::string& type = spec_.streams()[static_cast<std::size_t>(input.stream)].type;
    input_routes_[input.name] = {ingress, ingress->AddInput(input.name, type, i, {})};
  }
}

void RunningGraph::MakeOutputs() {
  for (const std::string& name : output_names_) {
    outputs_[name] = std::make_unique<OutputRunner>(state_);
  }
}

std::vector<bool> RunningGraph::NodesThatMerge() const {
  std::vector<bool> merges(spec_.nodes().size());
  // Each pass carries the mark one step up; the graph has no cycles.
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < merges.size(); ++i) {
      const ParsedSpec::Node& node = spec_.nodes()[i];
      if (node.inputs.size() > 1 && !merges[i]) changed = merges[i] = true;
      for (const auto& connection : node.inputs) {
        const int from = spec_.streams()[static_cast<std::size_t>(connection.stream)].node;
        if (!merges[i] || from < 0 || merges[static_cast<std::size_t>(from)]) continue;
        changed = merges[static_cast<std::size_t>(from)] = true;
      }
    }
  }
  return merges;
}

void RunningGraph::Connect(int stream, Actor& consumer, std::string_view consumer_name,
                           bool wants_frontier, const std::function<void(Edge&)>& attach) {
  const ParsedSpec::Stream& from = spec_.streams()[static_cast<std::size_t>(stream)];
  Gauge& depth = environment_.metrics->GetGauge(
      "weft_stream_depth_packets", "Packets that wait in a stream for one of its consumers.",
      {{"graph", spec_.name()}, {"stream", from.name}, {"consumer", std::string(consumer_name)}});
  const auto add = [&](Actor& producer) -> Edge& {
    edges_.push_back(
        std::make_unique<Edge>(producer, consumer, spec_.stream_capacity(), wants_frontier, depth));
    attach(*edges_.back());
    return *edges_.back();
  };
  if (from.node < 0) {
    const InputRoute& route = input_routes_.find(from.name)->second;
    route.ingress->AddEdge(route.index, add(*route.ingress));
  } else {
    NodeRunner& node = *nodes_[static_cast<std::size_t>(from.node)];
    node.AddOutput(from.port, add(node));
  }
}

void RunningGraph::Wire() {
  const std::vector<bool> merges = NodesThatMerge();
  std::vector<bool> publishes(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    NodeRunner& node = *nodes_[i];
    for (const auto& connection : spec_.nodes()[i].inputs) {
      const int from = spec_.streams()[static_cast<std::size_t>(connection.stream)].node;
      if (from >= 0 && merges[i]) publishes[static_cast<std::size_t>(from)] = true;
      Connect(connection.stream, node, node.name(), merges[i],
              [&](Edge& edge) { node.AddInput(connection.port, edge); });
    }
  }
  for (const ParsedSpec::Output& output : spec_.outputs()) {
    OutputRunner& runner = *outputs_[output.name];
    Connect(output.stream, runner, Concat("output/", output.name), false,
            [&](Edge& edge) { runner.set_edge(&edge); });
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i]->Prepare(publishes[i], environment_.trace);
  }
}

}  // namespace weft::graph
