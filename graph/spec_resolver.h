// Judges a parsed spec and resolves its names to indices. Internal to graph/; others use
// graph_spec.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/catalog.h"
#include "graph/graph_spec.h"
#include "graph/spec_text.h"

namespace weft::graph {

// Used once: SpecResolver(...).Resolve().
class SpecResolver {
 public:
  SpecResolver(SpecText text, std::string_view file_name, const Catalog& catalog);

  // The spec, or every error found, sorted by place.
  absl::StatusOr<ParsedSpec> Resolve();

 private:
  using GraphProto = weft::graph::v1::GraphSpec;
  using NodeProto = weft::graph::v1::Node;

  void ResolveLimits();
  void ResolveInputs();
  void ResolveNodes();
  void ResolveOptions(int index);
  void CreateStreams(int index);
  void ConnectInputs(int index);
  void CheckPorts(int index);
  void CheckTypes(int index, const ParsedSpec::Connection& connection);
  void ResolveOutputs();
  void CheckCycles();
  void CheckDangling();
  void ComputeDigest();

  // Splits "PORT:stream"; an error and false if it is not of that form or the port is unknown or
  // taken.
  bool ResolvePort(int index, std::string_view text, SourceLocation location, bool is_input,
                   ParsedSpec::Connection& connection, std::string_view& stream);
  // -1 and an error if no such stream exists.
  int FindStream(std::string_view name, SourceLocation location, std::string_view who);
  int AddStream(ParsedSpec::Stream stream);
  bool CheckName(std::string_view kind, std::string_view name, SourceLocation location);

  void Error(SourceLocation location, std::string message);
  absl::Status ErrorStatus();
  // Of value `value` (-1: not repeated) of field `field` in the graph, or in element `index` of its
  // field `parent`.
  SourceLocation Locate(int field, int value) const;
  SourceLocation LocateIn(int parent, int index, int field, int value) const;
  const NodeProto& node_proto(int index) const { return spec_.proto_->node(index); }

  const Catalog& catalog_;
  ParsedSpec spec_;
  std::vector<SpecError> errors_;
  std::map<std::string, int, std::less<>> stream_index_;
  std::vector<int> use_count_;  // by stream
};

}  // namespace weft::graph
