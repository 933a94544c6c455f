#include "graph/graph_spec.h"

#include <algorithm>
#include <charconv>

#include "google/protobuf/descriptor.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// A segment of an option path: "slots[1]" is {"slots", 1}, "hops" is {"hops", -1}.
struct PathSegment {
  std::string name;
  int index = -1;
};

// Splits the first segment off `path`.
PathSegment TakeSegment(std::string_view& path) {
  const std::size_t dot = path.find('.');
  std::string_view text = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  PathSegment segment;
  const std::size_t bracket = text.find('[');
  if (bracket != std::string_view::npos) {
    const std::string_view digits = text.substr(bracket + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), segment.index);
    text = text.substr(0, bracket);
  }
  segment.name = std::string(text);
  return segment;
}

SourceLocation ToLocation(TextFormat::ParseLocation location) {
  if (location.line < 0) return {};
  return {location.line + 1, location.column + 1};
}

}  // namespace

int ParsedSpec::stream_capacity() const {
  return proto_->stream_capacity() == 0 ? kStreamCapacityDefault : proto_->stream_capacity();
}

int ParsedSpec::InputBefore(int node) const {
  while (true) {
    const Connection& first = nodes_[static_cast<std::size_t>(node)].inputs.front();
    const Stream& from = streams_[static_cast<std::size_t>(first.stream)];
    if (from.node < 0) return from.port;
    node = from.node;
  }
}

SourceLocation ParsedSpec::OptionLocation(int node, std::string_view field) const {
  const auto* graph_type = weft::graph::v1::GraphSpec::descriptor();
  const auto* node_field =
      graph_type->FindFieldByNumber(weft::graph::v1::GraphSpec::kNodeFieldNumber);
  const auto* options_field = weft::graph::v1::Node::descriptor()->FindFieldByNumber(
      weft::graph::v1::Node::kOptionsFieldNumber);
  SourceLocation found = nodes_[static_cast<std::size_t>(node)].location;
  const auto* tree = locations_->GetTreeForNested(node_field, node);
  if (tree == nullptr) return found;
  const SourceLocation options = ToLocation(tree->GetLocation(options_field, -1));
  if (options.line > 0) found = options;
  // Fields of a message inside an Any are recorded in the tree of the Any.
  tree = tree->GetTreeForNested(options_field, -1);
  const auto* type = nodes_[static_cast<std::size_t>(node)].options->GetDescriptor();
  while (tree != nullptr && type != nullptr && !field.empty()) {
    const PathSegment segment = TakeSegment(field);
    const FieldDescriptor* descriptor = type->FindFieldByName(segment.name);
    if (descriptor == nullptr) break;
    const int index = descriptor->is_repeated() ? std::max(segment.index, 0) : -1;
    const SourceLocation here = ToLocation(tree->GetLocation(descriptor, index));
    if (here.line == 0) break;
    found = here;
    type = descriptor->message_type();
    tree = type == nullptr ? nullptr : tree->GetTreeForNested(descriptor, index);
  }
  return found;
}

std::string ParsedSpec::Place(SourceLocation location) const {
  if (location.line == 0) return file_name_;
  return Concat(file_name_, ":", location.line, ":", location.column);
}

}  // namespace weft::graph
