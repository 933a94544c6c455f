// What an error says besides its code and message: google.rpc details (rpc/weft/v1/error.proto).
//
// They are attached where the error is made and travel in the absl::Status as payloads, whose names
// are the type URLs of the details. What leaves the server, over gRPC or JSON, is ToRpcStatus of
// it; a client gets the same absl::Status back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "weft/v1/error.pb.h"

namespace weft::rpc {

// `status`, which is an error, with its reason. RetryInfo comes with the reasons that have one.
absl::Status WithReason(absl::Status status, v1::ErrorReason reason,
                        const std::map<std::string, std::string>& metadata = {});

// INVALID_ARGUMENT "field: description", the reason INVALID_FIELD and a BadRequest.
absl::Status InvalidField(std::string_view field, std::string_view description);

// UNAVAILABLE and DRAINING.
absl::Status DrainingError();

// Everything of an error as one message; the details in the order ErrorInfo, BadRequest, RetryInfo.
google::rpc::Status ToRpcStatus(const absl::Status& status);
absl::Status FromRpcStatus(const google::rpc::Status& message);

// UNSPECIFIED if there is none, or one of a newer server.
v1::ErrorReason ErrorReasonOf(const absl::Status& status);
// How long to wait before trying again, in seconds; nothing if that would not help.
std::optional<double> RetryDelaySeconds(const absl::Status& status);

}  // namespace weft::rpc
