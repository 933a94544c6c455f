// The text of a GraphSpec, parsed but not yet judged. Internal to graph/; others use graph_spec.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/text_format.h"
#include "graph/catalog.h"
#include "graph/graph_spec.h"
#include "weft/graph/v1/graph.pb.h"

namespace weft::graph {

// One finding about a spec.
struct SpecError {
  SourceLocation location;
  std::string message;
};

struct SpecText {
  std::shared_ptr<weft::graph::v1::GraphSpec> proto;
  std::shared_ptr<google::protobuf::TextFormat::ParseInfoTree> locations;
  std::vector<SpecError> errors;  // empty if the text is well-formed
};

// Reads the text form. Options messages ([type.url/...] { }) are found among the messages linked
// into the program; a misspelt one gets a suggestion from the catalog's contracts, a misspelt field
// one from its message.
SpecText ParseSpecText(std::string_view text, const Catalog& catalog);

}  // namespace weft::graph
