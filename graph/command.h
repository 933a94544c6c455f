// Command: something that one operator shall do at one place of the log: take other weights, say.
// It enters the graph between two packets of a feed, reaches every operator behind the inputs that
// meet that feed's between the same two of its micro-batches on every run, and is carried out by
// the one that it names (Operator::OnCommand).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "graph/log_record.h"
#include "graph/time.h"

namespace weft::graph {

class InFlight;  // graph/ingress.h

struct Command {
  std::string node;  // of the graph; a graph without it does nothing
  std::string body;  // what to do, in the operator's own words
};

// The `control` of a log record: a serialised weft.graph.v1.Command.
std::string EncodeCommand(const Command& command);
// DATA_LOSS for bytes that are none.
absl::StatusOr<Command> DecodeCommand(std::string_view bytes);

// A command on its way through the streams. Internal to graph/.
struct SentCommand {
  Command command;
  LogPosition position;
  TimeUs time_us = kBeforeAllTime;
  std::shared_ptr<const InFlight> in_flight;
};

}  // namespace weft::graph
