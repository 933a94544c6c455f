#include "rpc/wait_position.h"

#include "graph/check.h"
#include "rpc/error_details.h"
#include "rpc/position.h"

namespace weft::rpc {

using graph::LogPosition;

absl::Status WaitForPosition(GraphHost& host, const CallContext& context,
                             const v1::LogPosition& position) {
  WEFT_ASSIGN(const LogPosition wanted, DecodePosition(position));
  Sequencer* const sequencer = host.FindSequencer(wanted.feed);
  if (sequencer == nullptr) {
    return InvalidField("min_position", "this server has no such feed");
  }
  return sequencer->WaitApplied(wanted, context.deadline_ns);
}

}  // namespace weft::rpc
