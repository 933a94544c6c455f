#include "rpc/connect_error.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "google/protobuf/util/json_util.h"
#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

struct ConnectError {
  const char* code;
  int http_status;
};

// As the Connect protocol has it.
ConnectError ToConnect(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
      return {"canceled", 499};
    case absl::StatusCode::kInvalidArgument:
      return {"invalid_argument", 400};
    case absl::StatusCode::kDeadlineExceeded:
      return {"deadline_exceeded", 504};
    case absl::StatusCode::kNotFound:
      return {"not_found", 404};
    case absl::StatusCode::kAlreadyExists:
      return {"already_exists", 409};
    case absl::StatusCode::kPermissionDenied:
      return {"permission_denied", 403};
    case absl::StatusCode::kResourceExhausted:
      return {"resource_exhausted", 429};
    case absl::StatusCode::kFailedPrecondition:
      return {"failed_precondition", 400};
    case absl::StatusCode::kAborted:
      return {"aborted", 409};
    case absl::StatusCode::kOutOfRange:
      return {"out_of_range", 400};
    case absl::StatusCode::kUnimplemented:
      return {"unimplemented", 501};
    case absl::StatusCode::kInternal:
      return {"internal", 500};
    case absl::StatusCode::kUnavailable:
      return {"unavailable", 503};
    case absl::StatusCode::kDataLoss:
      return {"data_loss", 500};
    case absl::StatusCode::kUnauthenticated:
      return {"unauthenticated", 401};
    default:
      return {"unknown", 500};
  }
}

// The details as Connect has them: the name of the type, the message in base64 without padding, and
// the message in JSON for people.
nlohmann::json ConnectDetails(const google::rpc::Status& message) {
  nlohmann::json details = nlohmann::json::array();
  for (const google::protobuf::Any& detail : message.details()) {
    const std::string_view url = detail.type_url();
    std::string value = absl::Base64Escape(detail.value());
    value.erase(value.find_last_not_of('=') + 1);
    std::string debug;
    const auto printed = google::protobuf::util::MessageToJsonString(detail, &debug);
    details.push_back({{"type", url.substr(url.rfind('/') + 1)}, {"value", value}});
    if (!printed.ok()) continue;
    details.back()["debug"] = nlohmann::json::parse(debug, nullptr, false);
    details.back()["debug"].erase("@type");
  }
  return details;
}

}  // namespace

nlohmann::json ConnectErrorJson(const absl::Status& status) {
  const google::rpc::Status message = ToRpcStatus(status);
  nlohmann::json body = {{"code", ToConnect(status.code()).code}, {"message", message.message()}};
  if (!message.details().empty()) body["details"] = ConnectDetails(message);
  return body;
}

std::string ConnectErrorText(const absl::Status& status) {
  // Messages may quote what a client sent; what is not UTF-8 is replaced.
  return ConnectErrorJson(status).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int ConnectHttpStatus(const absl::Status& status) { return ToConnect(status.code()).http_status; }

}  // namespace weft::rpc
