#include "rpc/error_details.h"

#include <cstdint>
#include <utility>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "graph/check.h"
#include "graph/clock.h"
#include "graph/text.h"

namespace weft::rpc {
namespace {

using google::rpc::BadRequest;
using google::rpc::ErrorInfo;
using google::rpc::RetryInfo;

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::string_view kReasonPrefix = "ERROR_REASON_";
constexpr std::string_view kDomain = "weft";

// 0: trying again does not help.
std::int64_t RetryDelayMs(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_TOO_MANY_CALLS:
      return 100;
    case v1::ERROR_REASON_DISK_FULL:
    case v1::ERROR_REASON_RECOVERING:
    case v1::ERROR_REASON_DRAINING:
      return 500;
    case v1::ERROR_REASON_TOO_MANY_SUBSCRIBERS:
      return 5000;
    default:
      return 0;
  }
}

template <class Detail>
std::string TypeUrl() {
  return graph::Concat(kTypePrefix, Detail::descriptor()->full_name());
}

template <class Detail>
void Attach(const Detail& detail, absl::Status& status) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

// Nothing if the status has none that can be read.
template <class Detail>
std::optional<Detail> Find(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

template <class Detail>
void Append(const absl::Status& status, google::rpc::Status& message) {
  if (const auto detail = Find<Detail>(status)) message.add_details()->PackFrom(*detail);
}

}  // namespace

absl::Status WithReason(absl::Status status, v1::ErrorReason reason,
                        const std::map<std::string, std::string>& metadata) {
  WEFT_CHECK(!status.ok());
  ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason).substr(kReasonPrefix.size()));
  info.set_domain(std::string(kDomain));
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  Attach(info, status);
  if (const std::int64_t delay_ms = RetryDelayMs(reason); delay_ms > 0) {
    RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(
        static_cast<std::int32_t>(delay_ms % 1000 * graph::kNanosecondsPerMillisecond));
    Attach(retry, status);
  }
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view description) {
  absl::Status status =
      WithReason(absl::InvalidArgumentError(graph::Concat(field, ": ", description)),
                 v1::ERROR_REASON_INVALID_FIELD);
  BadRequest request;
  BadRequest::FieldViolation& violation = *request.add_field_violations();
  violation.set_field(std::string(field));
  violation.set_description(std::string(description));
  Attach(request, status);
  return status;
}

absl::Status DrainingError() {
  return WithReason(absl::UnavailableError("the server is draining"), v1::ERROR_REASON_DRAINING);
}

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status message;
  message.set_code(static_cast<int>(status.code()));
  message.set_message(std::string(status.message()));
  Append<ErrorInfo>(status, message);
  Append<BadRequest>(status, message);
  Append<RetryInfo>(status, message);
  return message;
}

absl::Status FromRpcStatus(const google::rpc::Status& message) {
  absl::Status status(static_cast<absl::StatusCode>(message.code()), message.message());
  for (const google::protobuf::Any& detail : message.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

v1::ErrorReason ErrorReasonOf(const absl::Status& status) {
  const auto info = Find<ErrorInfo>(status);
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  if (info && info->domain() == kDomain) {
    v1::ErrorReason_Parse(graph::Concat(kReasonPrefix, info->reason()), &reason);
  }
  return reason;
}

std::optional<double> RetryDelaySeconds(const absl::Status& status) {
  const auto retry = Find<RetryInfo>(status);
  if (!retry) return std::nullopt;
  return static_cast<double>(retry->retry_delay().seconds()) +
         static_cast<double>(retry->retry_delay().nanos()) * 1e-9;
}

}  // namespace weft::rpc
