#include "tests/harness/operator_runner.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::tests {

using graph::Concat;

OperatorRunner::OperatorRunner(const graph::Catalog& catalog, std::string_view operator_name,
                               std::string_view options, std::vector<std::string> inputs)
    : catalog_(catalog), executor_(/*seed=*/1) {
  const auto entry = catalog.Find(operator_name);
  if (!entry.ok()) {
    status_ = entry.status();
    return;
  }
  const graph::Contract& contract = (*entry)->contract;
  std::string head;
  std::string node = Concat("node { name: \"operator\" operator: \"", operator_name, "\"\n");
  for (const graph::PortInfo& port : contract.inputs) {
    const bool wanted = inputs.empty() || std::count(inputs.begin(), inputs.end(), port.name) > 0;
    if (!wanted) continue;
    head += Concat("input { name: \"in/", port.name, "\" type: \"", port.type, "\" }\n");
    node += Concat("  input: \"", port.name, ":in/", port.name, "\"\n");
  }
  for (const graph::PortInfo& port : contract.outputs) {
    head += Concat("output { name: \"", port.name, "\" stream: \"out/", port.name, "\" }\n");
    node += Concat("  output: \"", port.name, ":out/", port.name, "\"\n");
    output_ports_.emplace_back(port.name);
  }
  if (!contract.options_type.empty()) {
    node += Concat("  options { [type.url/", contract.options_type, "] {\n", options, "\n} }\n");
  }
  spec_text_ = Concat(head, node, "}\n");
  status_ = Build();
  if (status_.ok()) status_ = graph_->Start();
}

absl::Status OperatorRunner::Build() {
  WEFT_ASSIGN(const graph::ParsedSpec spec,
              graph::ParsedSpec::Parse(spec_text_, "operator.pbtxt", catalog_));
  graph::Environment environment;
  environment.catalog = &catalog_;
  environment.executor = &executor_;
  environment.clock = &clock_;
  environment.metrics = &metrics_;
  WEFT_ASSIGN(graph_, graph::Graph::Build(spec, environment));
  for (const std::string& port : output_ports_) {
    std::vector<graph::Packet>& packets = packets_[port];
    WEFT_TRY(graph_->OnOutput(
        port, [&packets](const graph::Packet& packet) { packets.push_back(packet); }));
  }
  return absl::OkStatus();
}

absl::Status OperatorRunner::Feed(std::string_view port, graph::Packet packet) {
  WEFT_TRY(status_);
  graph::LogPosition next = packet.position();
  next.offset += static_cast<std::uint64_t>(std::max<std::int64_t>(packet.row_count(), 1));
  next_position_[std::string(port)] = next;
  WEFT_TRY(graph_->Push(Concat("in/", port), std::move(packet)));
  return graph_->Drain();
}

absl::Status OperatorRunner::AdvanceTime(std::string_view port, graph::TimeUs time_us) {
  WEFT_TRY(status_);
  graph::LogPosition& next = next_position_[std::string(port)];
  WEFT_TRY(graph_->AdvanceTime(Concat("in/", port), next, time_us));
  ++next.offset;
  return graph_->Drain();
}

const std::vector<graph::Packet>& OperatorRunner::Packets(std::string_view port) const {
  const auto found = packets_.find(port);
  WEFT_CHECK(found != packets_.end());
  return found->second;
}

absl::Status OperatorRunner::SaveAndLoad() {
  WEFT_TRY(status_);
  MemoryCheckpoints store;
  WEFT_TRY(graph_->Checkpoint(store).status());
  graph_ = nullptr;
  status_ = Build();
  if (status_.ok()) status_ = graph_->Restore(*store.OpenNewest());
  if (status_.ok()) status_ = graph_->Start();
  return status_;
}

absl::StatusOr<std::uint64_t> OperatorRunner::StateHash() {
  WEFT_TRY(status_);
  WEFT_ASSIGN(const graph::CheckpointManifest manifest, graph_->StateHash());
  return manifest.operators.front().hash;
}

absl::Status OperatorRunner::Read(const std::function<void(const graph::Operator&)>& read) {
  WEFT_TRY(status_);
  return graph_->Read("operator", graph::kNoTimeoutUs,
                      [&read](const graph::Operator& op, graph::LogPosition) { read(op); });
}

}  // namespace weft::tests
