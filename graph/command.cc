#include "graph/command.h"

#include "weft/graph/v1/command.pb.h"

namespace weft::graph {

std::string EncodeCommand(const Command& command) {
  v1::Command message;
  message.set_node(command.node);
  message.set_body(command.body);
  return message.SerializeAsString();
}

absl::StatusOr<Command> DecodeCommand(std::string_view bytes) {
  v1::Command message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      message.node().empty()) {
    return absl::DataLossError("expected a weft.graph.v1.Command that names a node");
  }
  return Command{message.node(), message.body()};
}

}  // namespace weft::graph
