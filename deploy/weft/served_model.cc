#include "deploy/weft/served_model.h"

#include <google/protobuf/text_format.h>

#include "graph/check.h"
#include "graph/graph_spec.h"
#include "graph/text.h"
#include "operators/catalog.h"
#include "operators/link/model_file.h"
#include "weft/graph/v1/graph.pb.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::deploy {

absl::StatusOr<std::string> WithModelFile(const std::string& text, const std::string& graph_name,
                                          const std::string& model_file) {
  // What is wrong with the graph is said of the user's own text, not of the one that is printed
  // below.
  WEFT_TRY(graph::ParsedSpec::Parse(text, graph_name, operators::OperatorCatalog()).status());
  WEFT_ASSIGN(const std::string digest, operators::link::ModelFileDigest(model_file));
  graph::v1::GraphSpec spec;
  WEFT_CHECK(google::protobuf::TextFormat::ParseFromString(text, &spec));
  int node_count = 0;
  for (graph::v1::Node& node : *spec.mutable_node()) {
    if (node.operator_() != "nat") continue;
    operators::link::v1::Nat options;
    if (node.has_options()) WEFT_CHECK(node.options().UnpackTo(&options));
    options.set_model_file(model_file);
    options.set_model_digest(digest);
    node.mutable_options()->PackFrom(options);
    ++node_count;
  }
  if (node_count == 0) {
    return absl::InvalidArgumentError(graph::Concat(
        graph_name, ": --model: expected a node with the operator \"nat\", found none"));
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  std::string with_model;
  WEFT_CHECK(printer.PrintToString(spec, &with_model));
  return with_model;
}

}  // namespace weft::deploy
