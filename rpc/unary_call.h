// ServeUnary: a unary gRPC call through the dispatcher.
#pragma once

#include <chrono>
#include <limits>

#include <grpcpp/grpcpp.h>

#include "rpc/dispatcher.h"
#include "rpc/grpc_status.h"

namespace weft::rpc {

// The call's deadline on `clock`; 0 if it has none.
inline std::int64_t DeadlineNs(const grpc::CallbackServerContext& context,
                               const graph::Clock& clock) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return 0;
  const auto left = deadline - std::chrono::system_clock::now();
  return clock.NowNs() + std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
}

// Finishes the call when the handler has; what a CallbackService method returns.
inline grpc::ServerUnaryReactor* ServeUnary(Dispatcher& dispatcher, const graph::Clock& clock,
                                            std::string_view path,
                                            grpc::CallbackServerContext* context,
                                            const google::protobuf::Message* request,
                                            google::protobuf::Message* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  dispatcher.Call(path, DeadlineNs(*context, clock), *request, *response,
                  [reactor](const absl::Status& status) { reactor->Finish(ToGrpcStatus(status)); });
  return reactor;
}

}  // namespace weft::rpc
