#include "graph/spec_resolver.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <xxhash.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "graph/check.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;
using weft::graph::v1::GraphSpec;
using InputProto = weft::graph::v1::Input;
using NodeFields = weft::graph::v1::Node;
using OutputProto = weft::graph::v1::Output;

constexpr std::size_t kNameBytesMax = 64;

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' ||
         c == '/';
}

SourceLocation ToLocation(TextFormat::ParseLocation location) {
  if (location.line < 0) return {};
  return {location.line + 1, location.column + 1};
}

std::string DeterministicBytes(const Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return bytes;
}

std::vector<std::string_view> PortNames(const std::vector<PortInfo>& ports) {
  std::vector<std::string_view> names;
  names.reserve(ports.size());
  for (const PortInfo& port : ports) names.push_back(port.name);
  return names;
}

}  // namespace

SpecResolver::SpecResolver(SpecText text, std::string_view file_name, const Catalog& catalog)
    : catalog_(catalog), errors_(std::move(text.errors)) {
  spec_.file_name_ = std::string(file_name);
  spec_.proto_ = std::move(text.proto);
  spec_.locations_ = std::move(text.locations);
}

absl::StatusOr<ParsedSpec> SpecResolver::Resolve() {
  if (!errors_.empty()) return ErrorStatus();
  ResolveLimits();
  if (!errors_.empty()) return ErrorStatus();
  ResolveInputs();
  ResolveNodes();
  for (int i = 0; i < spec_.proto_->node_size(); ++i) ConnectInputs(i);
  for (int i = 0; i < spec_.proto_->node_size(); ++i) CheckPorts(i);
  ResolveOutputs();
  CheckCycles();
  CheckDangling();
  if (!errors_.empty()) return ErrorStatus();
  ComputeDigest();
  return std::move(spec_);
}

void SpecResolver::ResolveLimits() {
  const GraphSpec& proto = *spec_.proto_;
  if (proto.stream_capacity() < 0 || proto.stream_capacity() > kStreamCapacityMax) {
    Error(Locate(GraphSpec::kStreamCapacityFieldNumber, -1),
          Concat("stream_capacity: expected 1 to ", kStreamCapacityMax, " (0 means ",
                 kStreamCapacityDefault, "), got ", proto.stream_capacity()));
  }
  if (proto.node_size() > kSpecNodesMax || proto.input_size() > kSpecNodesMax ||
      proto.output_size() > kSpecNodesMax) {
    Error({}, Concat("a graph may have ", kSpecNodesMax,
                     " nodes, inputs and outputs each; this one has ", proto.node_size(), ", ",
                     proto.input_size(), " and ", proto.output_size()));
  }
  if (proto.node_size() == 0) Error({}, "the graph has no nodes");
}

void SpecResolver::ResolveInputs() {
  const std::vector<std::string_view> types = catalog_.PacketTypes();
  for (int i = 0; i < spec_.proto_->input_size(); ++i) {
    const InputProto& proto = spec_.proto_->input(i);
    const SourceLocation place = Locate(GraphSpec::kInputFieldNumber, i);
    const auto at = [&](int field) { return LocateIn(GraphSpec::kInputFieldNumber, i, field, -1); };
    if (std::find(types.begin(), types.end(), proto.type()) == types.end()) {
      Error(at(InputProto::kTypeFieldNumber),
            Concat("input \"", proto.name(), "\": unknown packet type \"", proto.type(), "\"",
                   DidYouMean(proto.type(), types)));
    }
    if (!CheckName("input", proto.name(), at(InputProto::kNameFieldNumber))) continue;
    const int stream = AddStream({proto.name(), proto.type(), -1, i, place});
    spec_.inputs_.push_back({proto.name(), stream});
  }
  if (spec_.proto_->input_size() == 0) Error({}, "the graph has no inputs");
}

void SpecResolver::ResolveNodes() {
  std::map<std::string_view, SourceLocation> names;
  for (int i = 0; i < spec_.proto_->node_size(); ++i) {
    const NodeProto& proto = node_proto(i);
    ParsedSpec::Node node;
    node.name = proto.name();
    node.location = Locate(GraphSpec::kNodeFieldNumber, i);
    const auto at = [&](int field) { return LocateIn(GraphSpec::kNodeFieldNumber, i, field, -1); };
    if (CheckName("node", proto.name(), at(NodeFields::kNameFieldNumber))) {
      const auto [earlier, is_new] = names.emplace(proto.name(), node.location);
      if (!is_new) {
        Error(at(NodeFields::kNameFieldNumber),
              Concat("node \"", proto.name(), "\" is already defined at line ",
                     earlier->second.line));
      }
    }
    const auto entry = catalog_.Find(proto.operator_());
    if (entry.ok()) {
      node.entry = *entry;
    } else {
      Error(at(NodeFields::kOperatorFieldNumber),
            Concat("node \"", proto.name(), "\": ", entry.status().message()));
    }
    spec_.nodes_.push_back(std::move(node));
    ResolveOptions(i);
    CreateStreams(i);
  }
}

void SpecResolver::ResolveOptions(int index) {
  ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
  if (node.entry == nullptr) return;
  const Contract& contract = node.entry->contract;
  const Message* prototype = node.entry->OptionsPrototype();
  WEFT_CHECK(prototype != nullptr);  // the contract names a message that is not linked in
  std::shared_ptr<Message> options(prototype->New());
  if (node_proto(index).has_options()) {
    const auto& any = node_proto(index).options();
    const SourceLocation place =
        LocateIn(GraphSpec::kNodeFieldNumber, index, NodeFields::kOptionsFieldNumber, -1);
    const std::string_view url = any.type_url();
    const std::string_view type = url.substr(url.rfind('/') + 1);
    const std::string_view shown_type = type.empty() ? "no type" : type;
    if (contract.options_type.empty()) {
      Error(place, Concat("node \"", node.name, "\": operator \"", node.entry->name,
                          "\" takes no options, got ", shown_type));
    } else if (type != contract.options_type) {
      Error(place,
            Concat("node \"", node.name, "\": operator \"", node.entry->name,
                   "\" takes options of type ", contract.options_type, ", got ", shown_type));
    } else if (!options->ParsePartialFromString(any.value())) {
      Error(place, Concat("node \"", node.name, "\": malformed value of ", type));
    }
  }
  node.options = std::move(options);
}

bool SpecResolver::ResolvePort(int index, std::string_view text, SourceLocation location,
                               bool is_input, ParsedSpec::Connection& connection,
                               std::string_view& stream) {
  ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
  const std::string_view kind = is_input ? "input" : "output";
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    Error(location,
          Concat("node \"", node.name, "\": expected \"PORT:stream\", got \"", text, "\""));
    return false;
  }
  const std::string_view port_name = text.substr(0, colon);
  stream = text.substr(colon + 1);
  if (node.entry == nullptr) return true;
  const Contract& contract = node.entry->contract;
  const std::vector<PortInfo>& ports = is_input ? contract.inputs : contract.outputs;
  const auto found = std::find_if(ports.begin(), ports.end(),
                                  [&](const PortInfo& port) { return port.name == port_name; });
  if (found == ports.end()) {
    const std::vector<std::string_view> names = PortNames(ports);
    Error(location, Concat("node \"", node.name, "\": operator \"", node.entry->name, "\" has no ",
                           kind, " port \"", port_name, "\" (it has ",
                           JoinNames(names, ", ", "none"), ")", DidYouMean(port_name, names)));
    return false;
  }
  connection.port = static_cast<int>(found - ports.begin());
  connection.location = location;
  const auto& taken = is_input ? node.inputs : node.outputs;
  for (const ParsedSpec::Connection& other : taken) {
    if (other.port != connection.port) continue;
    Error(location, Concat("node \"", node.name, "\": ", kind, " port ", port_name,
                           " is already connected at line ", other.location.line));
    return false;
  }
  return true;
}

void SpecResolver::CreateStreams(int index) {
  const NodeProto& proto = node_proto(index);
  for (int i = 0; i < proto.output_size(); ++i) {
    const SourceLocation place =
        LocateIn(GraphSpec::kNodeFieldNumber, index, NodeFields::kOutputFieldNumber, i);
    ParsedSpec::Connection connection;
    std::string_view stream;
    if (!ResolvePort(index, proto.output(i), place, false, connection, stream)) continue;
    if (!CheckName("stream", stream, place)) continue;
    ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
    std::string type;
    if (node.entry != nullptr) {
      const auto port = static_cast<std::size_t>(connection.port);
      type = std::string(node.entry->contract.outputs[port].type);
    }
    connection.stream = AddStream({std::string(stream), type, index, connection.port, place});
    node.outputs.push_back(connection);
  }
}

void SpecResolver::ConnectInputs(int index) {
  const NodeProto& proto = node_proto(index);
  for (int i = 0; i < proto.input_size(); ++i) {
    const SourceLocation place =
        LocateIn(GraphSpec::kNodeFieldNumber, index, NodeFields::kInputFieldNumber, i);
    ParsedSpec::Connection connection;
    std::string_view stream;
    if (!ResolvePort(index, proto.input(i), place, true, connection, stream)) continue;
    connection.stream = FindStream(stream, place, Concat("node \"", proto.name(), "\""));
    if (connection.stream < 0) continue;
    ++use_count_[static_cast<std::size_t>(connection.stream)];
    ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
    node.inputs.push_back(connection);
    if (node.entry != nullptr) CheckTypes(index, connection);
  }
}

void SpecResolver::CheckTypes(int index, const ParsedSpec::Connection& connection) {
  const ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
  const PortInfo& port = node.entry->contract.inputs[static_cast<std::size_t>(connection.port)];
  const ParsedSpec::Stream& stream = spec_.streams_[static_cast<std::size_t>(connection.stream)];
  if (stream.type.empty() || stream.type == port.type) return;
  std::string producer = Concat("input \"", stream.name, "\"");
  if (stream.node >= 0) {
    const ParsedSpec::Node& from = spec_.nodes_[static_cast<std::size_t>(stream.node)];
    producer = Concat("output port ", from.name, ".",
                      from.entry->contract.outputs[static_cast<std::size_t>(stream.port)].name);
  }
  Error(connection.location,
        Concat("stream \"", stream.name, "\": ", producer, " sends ", stream.type,
               " but input port ", node.name, ".", port.name, " takes ", port.type));
}

void SpecResolver::CheckPorts(int index) {
  ParsedSpec::Node& node = spec_.nodes_[static_cast<std::size_t>(index)];
  const auto by_port = [](const auto& a, const auto& b) { return a.port < b.port; };
  std::sort(node.inputs.begin(), node.inputs.end(), by_port);
  std::sort(node.outputs.begin(), node.outputs.end(), by_port);
  if (node.entry == nullptr) return;
  const NodeProto& proto = node_proto(index);
  const auto check = [&](const auto& ports, const auto& texts, std::string_view kind) {
    for (const PortInfo& port : ports) {
      if (port.optional) continue;
      const bool named = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return text.substr(0, text.find(':')) == port.name;
      });
      if (!named) {
        Error(node.location, Concat("node \"", node.name, "\": required ", kind, " port ",
                                    port.name, " is not connected"));
      }
    }
  };
  check(node.entry->contract.inputs, proto.input(), "input");
  check(node.entry->contract.outputs, proto.output(), "output");
  if (proto.input_size() == 0) {
    Error(node.location, Concat("node \"", node.name, "\": no input port is connected"));
  }
}

void SpecResolver::ResolveOutputs() {
  std::set<std::string_view> names;
  for (int i = 0; i < spec_.proto_->output_size(); ++i) {
    const OutputProto& proto = spec_.proto_->output(i);
    const auto at = [&](int field) {
      return LocateIn(GraphSpec::kOutputFieldNumber, i, field, -1);
    };
    if (CheckName("output", proto.name(), at(OutputProto::kNameFieldNumber)) &&
        !names.insert(proto.name()).second) {
      Error(at(OutputProto::kNameFieldNumber),
            Concat("output \"", proto.name(), "\" is defined twice"));
    }
    const int stream = FindStream(proto.stream(), at(OutputProto::kStreamFieldNumber),
                                  Concat("output \"", proto.name(), "\""));
    if (stream < 0) continue;
    ++use_count_[static_cast<std::size_t>(stream)];
    spec_.outputs_.push_back({proto.name(), stream});
  }
}

int SpecResolver::FindStream(std::string_view name, SourceLocation location, std::string_view who) {
  const auto found = stream_index_.find(name);
  if (found != stream_index_.end()) return found->second;
  std::vector<std::string_view> names;
  for (const auto& [known, index] : stream_index_) names.push_back(known);
  Error(location, Concat(who, ": nothing creates stream \"", name, "\"", DidYouMean(name, names)));
  return -1;
}

int SpecResolver::AddStream(ParsedSpec::Stream stream) {
  const auto index = static_cast<int>(spec_.streams_.size());
  const auto [earlier, is_new] = stream_index_.emplace(stream.name, index);
  if (!is_new) {
    const auto& first = spec_.streams_[static_cast<std::size_t>(earlier->second)];
    Error(stream.location,
          Concat("stream \"", stream.name, "\" is already created at line ", first.location.line));
    // The first one keeps the name; this one still gets an index, so that no other error is lost.
  }
  spec_.streams_.push_back(std::move(stream));
  use_count_.push_back(is_new ? 0 : 1);
  return index;
}

void SpecResolver::ComputeDigest() {
  GraphSpec canonical = *spec_.proto_;
  canonical.clear_name();
  canonical.clear_stream_capacity();
  for (int i = 0; i < canonical.node_size(); ++i) {
    // An absent options message and an empty one mean the same.
    const Message& options = *spec_.nodes_[static_cast<std::size_t>(i)].options;
    auto* any = canonical.mutable_node(i)->mutable_options();
    any->set_type_url(options.GetDescriptor()->full_name());
    any->set_value(DeterministicBytes(options));
  }
  const std::string bytes = DeterministicBytes(canonical);
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  spec_.digest_ = absl::StrFormat("%016x%016x", hash.high64, hash.low64);
}

bool SpecResolver::CheckName(std::string_view kind, std::string_view name,
                             SourceLocation location) {
  if (name.empty()) {
    Error(location, Concat(kind, " without a name"));
    return false;
  }
  if (name.size() > kNameBytesMax || !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    Error(location, Concat(kind, " name \"", name, "\": expected at most ", kNameBytesMax,
                           " letters, digits, '_', '-', '.' or '/'"));
    return false;
  }
  return true;
}

void SpecResolver::Error(SourceLocation location, std::string message) {
  errors_.push_back({location, std::move(message)});
}

absl::Status SpecResolver::ErrorStatus() {
  std::stable_sort(errors_.begin(), errors_.end(), [](const SpecError& a, const SpecError& b) {
    return std::tie(a.location.line, a.location.column) <
           std::tie(b.location.line, b.location.column);
  });
  std::vector<std::string> lines;
  for (const SpecError& error : errors_) {
    lines.push_back(Concat(spec_.Place(error.location), ": ", error.message));
  }
  return absl::InvalidArgumentError(JoinNames(lines, "\n"));
}

SourceLocation SpecResolver::Locate(int field, int value) const {
  return ToLocation(
      spec_.locations_->GetLocation(GraphSpec::descriptor()->FindFieldByNumber(field), value));
}

SourceLocation SpecResolver::LocateIn(int parent, int index, int field, int value) const {
  const FieldDescriptor* outer = GraphSpec::descriptor()->FindFieldByNumber(parent);
  const auto* tree = spec_.locations_->GetTreeForNested(outer, index);
  if (tree == nullptr) return Locate(parent, index);
  const SourceLocation found =
      ToLocation(tree->GetLocation(outer->message_type()->FindFieldByNumber(field), value));
  return found.line > 0 ? found : Locate(parent, index);
}

absl::StatusOr<ParsedSpec> ParsedSpec::Parse(std::string_view text, std::string_view file_name,
                                             const Catalog& catalog) {
  return SpecResolver(ParseSpecText(text, catalog), file_name, catalog).Resolve();
}

}  // namespace weft::graph
