// ParsedSpec: a validated graph.proto GraphSpec in text form, resolved against a catalog, with
// source locations.
//
// Everything that can be said of a graph without opening its operators is checked here: names,
// ports, packet types, cycles, options messages. An error is INVALID_ARGUMENT with one line per
// finding, sorted by place:
//   links.pbtxt:9:3: node "score": unknown operator "nta"; did you mean "nat"?
// A text that is not even well-formed yields its first error only.
// Thread rule: immutable after Parse; copies share their contents.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "graph/catalog.h"
#include "weft/graph/v1/graph.pb.h"

namespace weft::graph {

// Limits of a spec.
inline constexpr std::size_t kSpecBytesMax = std::size_t{1} << 20;
inline constexpr int kSpecNodesMax = 1024;
inline constexpr int kStreamCapacityDefault = 16;
inline constexpr int kStreamCapacityMax = 4096;

// A place in a text, counted from 1; line 0 means "unknown".
struct SourceLocation {
  int line = 0;
  int column = 0;
};

class ParsedSpec {
 public:
  // One end of a stream at a port of a node.
  struct Connection {
    int port = 0;    // index into the contract's inputs or outputs
    int stream = 0;  // index into streams()
    SourceLocation location;
  };
  struct Node {
    std::string name;
    const Catalog::Entry* entry = nullptr;  // owned by the catalog that Parse was given
    std::vector<Connection> inputs;         // by rising port
    std::vector<Connection> outputs;        // by rising port
    std::shared_ptr<const google::protobuf::Message> options;  // of the contract's type
    SourceLocation location;
  };
  struct Stream {
    std::string name;
    std::string type;  // PacketTypeName
    int node = -1;     // that creates it; -1: it enters the graph
    int port = 0;      // of that node; of an entering stream its index in inputs()
    SourceLocation location;
  };
  struct Input {
    std::string name;
    int stream = 0;
  };
  struct Output {
    std::string name;
    int stream = 0;
  };

  // Parses and validates `text`; `file_name` is what errors call it. `catalog` must outlive the
  // result.
  static absl::StatusOr<ParsedSpec> Parse(std::string_view text, std::string_view file_name,
                                          const Catalog& catalog);

  const weft::graph::v1::GraphSpec& proto() const { return *proto_; }
  const std::string& file_name() const { return file_name_; }
  const std::string& name() const { return proto_->name(); }
  // Hexadecimal XXH3 128 of the canonical form: what decides whether a checkpoint fits. Formatting,
  // comments, the graph's name and stream_capacity do not enter it.
  const std::string& digest() const { return digest_; }
  int stream_capacity() const;

  // In spec order; inputs and outputs as well.
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Stream>& streams() const { return streams_; }
  const std::vector<Input>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }

  // Index of an input whose packets reach the node: of its first port, and so on upwards.
  int InputBefore(int node) const;

  // Where a field of a node's options stands. `field` is a path such as "hops" or "slots[1].width";
  // the longest part of it that the text contains decides, then the options, then the node.
  SourceLocation OptionLocation(int node, std::string_view field) const;
  // "links.pbtxt:12:7", or only the file when the line is unknown.
  std::string Place(SourceLocation location) const;

 private:
  friend class SpecResolver;
  ParsedSpec() = default;

  std::string file_name_;
  std::string digest_;
  std::shared_ptr<const weft::graph::v1::GraphSpec> proto_;
  std::shared_ptr<const google::protobuf::TextFormat::ParseInfoTree> locations_;
  std::vector<Node> nodes_;
  std::vector<Stream> streams_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace weft::graph
