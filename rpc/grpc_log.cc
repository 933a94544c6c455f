#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "graph/text.h"
#include "rpc/logging.h"

namespace weft::rpc {
namespace {

thread_local int silence_count = 0;

void TakeLine(gpr_log_func_args* line) {
  if (silence_count > 0) return;
  // What is an error to gRPC, a connection that a client dropped for instance, is none of the
  // service's. Lines below that come only when GRPC_VERBOSITY asks for them.
  const bool error = line->severity == GPR_LOG_SEVERITY_ERROR;
  Log(error ? LogLevel::kWarning : LogLevel::kInfo, "grpc",
      {{"text", line->message}, {"at", graph::Concat(line->file, ":", line->line)}});
}

}  // namespace

void TakeOverGrpcLog() { gpr_set_log_function(TakeLine); }

GrpcSilence::GrpcSilence() { ++silence_count; }
GrpcSilence::~GrpcSilence() { --silence_count; }

}  // namespace weft::rpc
