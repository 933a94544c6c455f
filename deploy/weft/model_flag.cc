#include "deploy/weft/model_flag.h"

#include <filesystem>

#include "google/protobuf/text_format.h"
#include "graph/check.h"
#include "graph/graph_spec.h"
#include "graph/text.h"
#include "operators/catalog.h"
#include "operators/link/model_file.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::deploy {
namespace {

template <class Options>
absl::Status SetModelFile(std::string_view spec_name, const std::string& path,
                          const std::string& digest, graph::v1::Node& node) {
  Options options;
  if (node.has_options() && !node.options().UnpackTo(&options)) {
    return absl::InvalidArgumentError(graph::Concat(spec_name, ": node \"", node.name(),
                                                    "\": expected options of ", node.operator_(),
                                                    ", got ", node.options().type_url()));
  }
  if (!options.model_file().empty() && options.model_digest() != digest) {
    return absl::InvalidArgumentError(graph::Concat(spec_name, ": node \"", node.name(),
                                                    "\" starts from ", options.model_file(),
                                                    " already; leave that or --model out"));
  }
  options.set_model_file(path);
  options.set_model_digest(digest);
  node.mutable_options()->PackFrom(options);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> WithModelFile(std::string_view text, std::string_view spec_name,
                                          const std::string& path) {
  WEFT_ASSIGN(const std::string model, operators::link::ModelFileName(path));
  if (model != "nat" && model != "weft") {
    return absl::FailedPreconditionError(
        graph::Concat(path, ": expected a model of nat or weft, got one of ", model));
  }
  WEFT_ASSIGN(const std::string digest, operators::link::ModelFileDigest(path));
  WEFT_ASSIGN(const graph::ParsedSpec parsed,
              graph::ParsedSpec::Parse(text, spec_name, operators::OperatorCatalog()));
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error) return absl::NotFoundError(graph::Concat(path, ": ", error.message()));
  graph::v1::GraphSpec spec = parsed.proto();
  int count = 0;
  for (graph::v1::Node& node : *spec.mutable_node()) {
    if (node.operator_() != model) continue;
    WEFT_TRY(model == "nat"
                 ? SetModelFile<operators::link::v1::Nat>(spec_name, absolute, digest, node)
                 : SetModelFile<operators::link::v1::Weft>(spec_name, absolute, digest, node));
    ++count;
  }
  if (count == 0) {
    return absl::InvalidArgumentError(graph::Concat(
        spec_name, ": --model expected a node with the operator \"", model, "\", got none"));
  }
  std::string changed;
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  if (!printer.PrintToString(spec, &changed)) {
    return absl::InternalError(graph::Concat(spec_name, ": cannot be printed"));
  }
  return changed;
}

}  // namespace weft::deploy
