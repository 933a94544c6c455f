// absl::Status and grpc::Status into each other, with the error's details; the codes are the same
// numbers.
#pragma once

#include <string>

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "rpc/error_details.h"

namespace weft::rpc {

inline grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status message = ToRpcStatus(status);
  return {static_cast<grpc::StatusCode>(message.code()), message.message(),
          message.details().empty() ? std::string() : message.SerializeAsString()};
}

inline absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status message;
  if (!message.ParseFromString(status.error_details())) message.Clear();
  // The trailer may come from something in between; code and message are those of the call.
  message.set_code(status.error_code());
  message.set_message(status.error_message());
  return FromRpcStatus(message);
}

}  // namespace weft::rpc
